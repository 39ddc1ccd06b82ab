"""Settings: the environment over a YAML file over defaults."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import platformdirs
import yaml
from pydantic import (
    AliasChoices,
    AliasPath,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from controller.logs import LogFormat
from controller.settings_fields import (
    PREFIX,
    ROOT,
    AnyCase,
    BackendChoice,
    Endpoints,
    Host,
    Lifetime,
    LogLevel,
    Names,
    Pace,
    Port,
    Scaling,
    Size,
    StorageMode,
    Word,
    choice,
    port_setting,
    setting,
    switch,
)

CONFIG_VARIABLE = "FLOCI_AZ_CONFIG"
CONFIG_DEFAULT = Path("application.yml")


class SettingsError(Exception):
    """The emulator cannot start as it was told to; each mistake is one line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Settings(BaseSettings):
    """How this process behaves; see the table in README.md.

    ``None`` means that the default depends on the surroundings.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", case_sensitive=True, env_ignore_empty=True
    )

    port: Port = port_setting("port", 4577)
    host: Host = setting(
        "host",
        default="127.0.0.1",
        expects="an address or a host name to listen on",
        example="0.0.0.0",  # noqa: S104 (an example in an error message)
    )
    hostname: Host | None = setting(
        "hostname",
        default=None,
        expects="a host name without scheme and path",
        example="redis.test",
    )
    state_dir: Path | None = setting(
        "state-dir",
        default=None,
        expects="a folder",
        example="/var/lib/azure-redis-emulator",
    )
    strict: bool = switch("strict", default=False)
    token_lifetime_seconds: Lifetime = setting(
        "token-lifetime",
        default=3600,  # azurerm asks again for each call when it is 1200 or less
        expects="a whole number of seconds from 10 to 86400",
        example=60,
    )
    storage_mode: StorageMode = choice("storage.mode", "memory", "persistent")
    tls_certificate: Path | None = setting(
        "tls.certificate",
        default=None,
        expects="a PEM file with the certificate and its chain",
        example="/etc/ssl/emulator.pem",
    )
    tls_key: Path | None = setting(
        "tls.key", default=None, expects="a PEM file", example="/etc/ssl/emulator.key"
    )
    tls_names: Names = setting(
        "tls.names",
        default="",
        expects="names and addresses, with commas between them",
        example="azure-redis,192.0.2.7",
    )
    log_format: Annotated[LogFormat, AnyCase] | None = setting(
        "log.format", default=None, expects="json or console", example="json"
    )
    log_level: LogLevel = setting(
        "log.level",
        default="info",
        expects="debug, info, warning or error",
        example="debug",
    )
    docker_network: Word | None = setting(
        "services.docker.network",
        default=None,
        expects="the name of a Docker network",
        example="my-network",
    )
    enabled: bool = switch("services.redis.enabled", default=True)
    mocked: bool = switch("services.redis.mocked", default=False)
    backend: BackendChoice = setting(
        "services.redis.backend",
        default="auto",
        expects="auto, docker or process",
        example="docker",
    )
    default_image: Word = setting(
        "services.redis.default-image",
        default="valkey/valkey:8-alpine",
        expects="the name of an image",
        example="valkey/valkey:8-alpine",
    )
    base_port: Port = port_setting("services.redis.base-port", 6379)
    max_port: Port = port_setting("services.redis.max-port", 6399)
    base_ssl_port: Port = port_setting("services.redis.base-ssl-port", 6400)
    max_ssl_port: Port = port_setting("services.redis.max-ssl-port", 6420)
    max_memory_bytes: Size = setting(
        "services.redis.max-memory",
        default="256mb",
        expects="a size of at least 1mb, in b, kb, mb or gb",
        example="256mb",
    )
    restrict_commands: bool = switch("services.redis.restrict-commands", default=True)
    endpoints: Endpoints = choice("services.redis.endpoints", "local", "azure")
    scaling: Scaling = choice("services.redis.scaling", "gentle", "faithful")
    operations: Pace = setting(
        "services.redis.operations",
        default="fast",
        expects="fast, realistic or a number of seconds",
        example="realistic",
    )

    @field_validator("tls_key")
    @classmethod
    def _with_its_certificate(
        cls, value: Path | None, info: ValidationInfo
    ) -> Path | None:
        if (value is None) != (info.data.get("tls_certificate") is None):
            raise ValueError(
                f"a certificate and its key go together: set {variable_of('tls_key')} "
                f"and {variable_of('tls_certificate')}, or neither"
            )
        return value

    @field_validator("max_port", "max_ssl_port")
    @classmethod
    def _not_below_its_base(cls, value: int, info: ValidationInfo) -> int:
        base = str(info.field_name).replace("max", "base")
        lowest = info.data.get(base, value)
        if value < lowest:
            raise ValueError(
                f"it must not be below {variable_of(base)}, which is {lowest}"
            )
        return value

    @property
    def state_directory(self) -> Path:
        """Where to keep state: by default a folder of this port's own.

        So that two emulators on one machine, which must differ in the port anyway,
        need no further setting.
        """
        if self.state_dir is not None:
            return self.state_dir.expanduser()
        mine = platformdirs.user_state_path("azure-redis-emulator", appauthor=False)
        return mine / str(self.port)


def variable_of(field: str) -> str:
    """Name the environment variable of a field of `Settings`."""
    return _names(field)[0]


def load() -> Settings:
    """Read the environment and the file, or raise `SettingsError` with all mistakes."""
    document = _read_file()
    mistakes = [*_unknown_variables(), *_unknown_keys(document, ROOT)]
    try:
        settings = Settings.model_validate({ROOT: document})
    except ValidationError as error:
        raise SettingsError([*map(_mistake, error.errors()), *mistakes]) from None
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _names(field: str) -> tuple[str, str]:
    """Give both names of a setting: the variable, and the path in the file."""
    match Settings.model_fields[field].validation_alias:
        case AliasChoices(choices=[str(variable), AliasPath(path=path)]):
            return variable, ".".join(map(str, path))
        case _:
            raise TypeError(field)


_VARIABLES = {_names(field)[0]: field for field in Settings.model_fields}
_PATHS = {_names(field)[1]: field for field in Settings.model_fields}


def _read_file() -> Mapping[str, Any]:
    """Read what stands below ``floci-az``; nothing, if there is no file."""
    named = os.environ.get(CONFIG_VARIABLE)
    path = Path(named) if named else CONFIG_DEFAULT
    if not named and not path.exists():
        return {}
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"{path} cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path} is not YAML: {error}"]) from error
    match document:
        case None | {"floci-az": None}:
            return {}
        case {"floci-az": dict(mine)}:
            return _without_empty(mine)
        case dict() if ROOT not in document:
            return {}  # the file is of other programs
        case _:
            raise SettingsError([f"{path}: {ROOT} takes settings, one a line below it"])


def _without_empty(tree: Mapping[object, Any]) -> Mapping[str, Any]:
    """Leave out what has no value: as with a variable, that means the default."""
    return {
        str(key): _without_empty(value) if isinstance(value, dict) else value
        for key, value in tree.items()
        if value is not None
    }


def _unknown_variables() -> Iterator[str]:
    known = [CONFIG_VARIABLE, *_VARIABLES]
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            yield _unknown(name, known)


def _unknown_keys(tree: Mapping[str, Any], above: str) -> Iterator[str]:
    for key, value in tree.items():
        path = f"{above}.{key}"
        inside = [known for known in _PATHS if known.startswith(f"{path}.")]
        if inside and isinstance(value, dict):
            yield from _unknown_keys(value, path)
        elif inside:
            yield f"{path} is {value!r}; it takes settings, such as {inside[0]}"
        elif path not in _PATHS:
            yield _unknown(path, list(_PATHS))


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"{name} is no setting" + (f"; do you mean {near[0]}?" if near else "")


def _mistake(error: ErrorDetails) -> str:
    """Say what is wrong with a value, under the name by which it was given."""
    given = ".".join(map(str, error["loc"]))
    field = _VARIABLES.get(given) or _PATHS.get(given) or given
    name = variable_of(field) if field == given else given
    described = Settings.model_fields[field]
    reason = str(error.get("ctx", {}).get("error", ""))
    expects = (
        f"it takes {described.description}, such as {(described.examples or [])[0]}"
    )
    return f"{name} is {error['input']!r}; {reason or expects}"
