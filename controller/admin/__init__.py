"""What the controller asks of a server, and how: the one package that imports redis."""

from controller.admin.base import Admin, Data
from controller.admin.servers import RedisAdmin

__all__ = ["Admin", "Data", "RedisAdmin"]
