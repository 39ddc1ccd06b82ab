"""Settings come from three places, and no mistake passes silently."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from controller import settings
from controller.settings import Settings, SettingsError

REDIS = "FLOCI_AZ_SERVICES_REDIS_"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start from nothing: an empty folder, and no variable of the emulator's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FLOCI_AZ_")]:
        monkeypatch.delenv(name)
    return tmp_path


def mistakes() -> list[str]:
    """Load settings that are wrong, and give what is said about them."""
    with pytest.raises(SettingsError) as caught:
        settings.load()
    return caught.value.mistakes


def write(path: Path, *lines: str) -> None:
    """Write a file whose lines stand below ``floci-az``."""
    path.write_text("\n".join(["floci-az:", *(f"  {line}" for line in lines)]))


def test_nothing_need_be_set() -> None:
    """Without variables and file, every setting has its documented default."""
    assert settings.load() == Settings.model_construct(
        port=4577,
        host="127.0.0.1",
        default_image="valkey/valkey:8-alpine",
        base_port=6379,
        max_port=6399,
        base_ssl_port=6400,
        max_ssl_port=6420,
        max_memory_bytes=256 << 20,
        tls_names=(),
        backend="auto",
        enabled=True,
        mocked=False,
    )


def test_environment_wins_over_the_file_and_the_file_over_defaults(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting is taken from the first place that has it."""
    write(
        folder / "application.yml",
        "services: {redis: {base-port: 7000, max-port: 7005, mocked: true}}",
        "storage: {mode: Persistent}",
    )
    monkeypatch.setenv(f"{REDIS}MAX_PORT", "7009")
    loaded = settings.load()
    assert (loaded.base_port, loaded.max_port, loaded.max_ssl_port) == (
        7000,
        7009,
        6420,
    )
    assert loaded.mocked
    assert loaded.storage_mode == "persistent"


def test_the_file_may_have_another_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLOCI_AZ_CONFIG names the file, which then must exist."""
    monkeypatch.setenv("FLOCI_AZ_CONFIG", "mine.yml")
    assert mistakes() == ["mine.yml cannot be read: No such file or directory"]
    write(folder / "mine.yml", "port: 4600")
    assert settings.load().port == 4600


@pytest.mark.parametrize(
    "text",
    ["", "floci-az:", "other: {port: 1}", "floci-az: {services: {redis: }}"],
    ids=["empty file", "empty section", "another program's", "empty group"],
)
def test_a_file_may_say_nothing(folder: Path, text: str) -> None:
    """What is left empty, or is not ours, leaves the defaults."""
    (folder / "application.yml").write_text(text)
    assert settings.load().port == 4577


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file may pass a variable on that is not set."""
    monkeypatch.setenv("FLOCI_AZ_PORT", "")
    assert settings.load().port == 4577


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256mb", 256 << 20),
        ("1gb", 1 << 30),
        ("2 GB", 2 << 30),
        ("4096k", 4_096_000),
        ("4096kb", 4 << 20),
        ("5m", 5_000_000),
        ("1048576", 1 << 20),
    ],
)
def test_sizes_are_read_as_a_server_reads_them(
    text: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit with b counts in 1024s, one without in 1000s."""
    monkeypatch.setenv(f"{REDIS}MAX_MEMORY", text)
    assert settings.load().max_memory_bytes == size


@pytest.mark.parametrize("seconds", [10, 86400])
def test_tokens_live_as_long_as_is_wanted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """From ten seconds, so that a test sees a client renew its token, to a day."""
    assert settings.load().token_lifetime_seconds == 3600
    write(folder / "application.yml", f"token-lifetime: {seconds}")
    assert settings.load().token_lifetime_seconds == seconds
    monkeypatch.setenv("FLOCI_AZ_TOKEN_LIFETIME", "60")
    assert settings.load().token_lifetime_seconds == 60


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("PORT", "http", "a whole number from 1 to 65535, such as 4577"),
        ("PORT", "0", "a whole number from 1 to 65535, such as 4577"),
        ("PORT", "65536", "a whole number from 1 to 65535, such as 4577"),
        ("HOST", "http://x", "an address or a host name to listen on, such as 0.0.0.0"),
        ("HOSTNAME", "a/b", "a host name without scheme and path, such as redis.test"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error, such as debug"),
        (
            "TOKEN_LIFETIME",
            "9",
            "a whole number of seconds from 10 to 86400, such as 60",
        ),
        (
            "TOKEN_LIFETIME",
            "86401",
            "a whole number of seconds from 10 to 86400, such as 60",
        ),
        (
            "TOKEN_LIFETIME",
            "1h",
            "a whole number of seconds from 10 to 86400, such as 60",
        ),
        ("LOG_FORMAT", "xml", "json or console, such as json"),
        ("STORAGE_MODE", "disk", "memory or persistent, such as persistent"),
        ("SERVICES_REDIS_ENABLED", "maybe", "true or false, such as false"),
        ("SERVICES_REDIS_BACKEND", "mocked", "auto, docker or process, such as docker"),
        (
            "SERVICES_REDIS_MAX_MEMORY",
            "lots",
            "a size of at least 1mb, in b, kb, mb or gb, such as 256mb",
        ),
        (
            "SERVICES_REDIS_MAX_MEMORY",
            "1kb",
            "a size of at least 1mb, in b, kb, mb or gb, such as 256mb",
        ),
        (
            "SERVICES_REDIS_DEFAULT_IMAGE",
            "a b",
            "the name of an image, such as valkey/valkey:8-alpine",
        ),
        (
            "SERVICES_DOCKER_NETWORK",
            "-x",
            "the name of a Docker network, such as my-network",
        ),
    ],
)
def test_a_bad_value_is_explained(
    name: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the setting, the value, what it takes, and an example."""
    monkeypatch.setenv(f"FLOCI_AZ_{name}", value)
    assert mistakes() == [f"FLOCI_AZ_{name} is {value!r}; it takes {complaint}"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "port: http",
            (
                "floci-az.port is 'http'; it takes a whole number from 1 to 65535, "
                "such as 4577"
            ),
        ),
        ("ports: 1", "floci-az.ports is no setting; do you mean floci-az.port?"),
        ("zzz: {a: 1}", "floci-az.zzz is no setting"),
        (
            "services: {redis: 6379}",
            (
                "floci-az.services.redis is 6379; it takes settings, such as "
                "floci-az.services.redis.enabled"
            ),
        ),
        (
            "services: {redis: {max_memory: 1gb}}",
            (
                "floci-az.services.redis.max_memory is no setting; do you mean "
                "floci-az.services.redis.max-memory?"
            ),
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_by_its_path(
    line: str, complaint: str, folder: Path
) -> None:
    """A setting is named as the user wrote it."""
    write(folder / "application.yml", line)
    assert mistakes() == [complaint]


@pytest.mark.parametrize(
    "text", ["floci-az: [1]", "- floci-az", "floci-az: 5"], ids=["list", "item", "5"]
)
def test_a_file_of_another_shape_is_refused(text: str, folder: Path) -> None:
    """A file that cannot hold settings does not count as an empty one."""
    (folder / "application.yml").write_text(text)
    assert mistakes() == [
        "application.yml: floci-az takes settings, one a line below it"
    ]


def test_a_file_that_is_no_yaml_is_refused(folder: Path) -> None:
    """The place of the mistake is in the message."""
    (folder / "application.yml").write_text("floci-az: {port: 1")
    (mistake,) = mistakes()
    assert mistake.startswith("application.yml is not YAML")
    assert "line 1, column 19" in mistake


@pytest.mark.parametrize("kind", ["", "SSL_"], ids=["plain", "TLS"])
def test_a_range_must_not_end_before_it_begins(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ends are named, also when one of them is the default."""
    monkeypatch.setenv(f"{REDIS}BASE_{kind}PORT", "7000")
    (mistake,) = mistakes()
    assert mistake.startswith(f"{REDIS}MAX_{kind}PORT is 6")
    assert mistake.endswith(
        f"it must not be below {REDIS}BASE_{kind}PORT, which is 7000"
    )


def test_all_mistakes_are_told_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to start the emulator three times to hear of three mistakes."""
    write(folder / "application.yml", "hots: x")
    monkeypatch.setenv(f"{REDIS}MOKED", "true")
    monkeypatch.setenv("FLOCI_AZ_PORT", "x")
    monkeypatch.setenv("FLOCI_AZ_LOG_LEVEL", "x")
    assert [mistake.split()[0] for mistake in mistakes()] == [
        "FLOCI_AZ_PORT",
        "FLOCI_AZ_LOG_LEVEL",
        f"{REDIS}MOKED",
        "floci-az.hots",
    ]


def test_words_are_taken_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """INFO is info."""
    monkeypatch.setenv("FLOCI_AZ_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("FLOCI_AZ_LOG_FORMAT", "Json")
    loaded = settings.load()
    assert (loaded.log_level, loaded.log_format) == ("debug", "json")


def test_two_ports_have_two_state_directories(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two emulators on one machine need not be told to keep apart."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    first = settings.load().state_directory
    monkeypatch.setenv("FLOCI_AZ_PORT", "4578")
    assert first == folder / "azure-redis-emulator" / "4577"
    assert settings.load().state_directory == folder / "azure-redis-emulator" / "4578"
    monkeypatch.setenv("FLOCI_AZ_STATE_DIR", str(folder / "mine"))
    assert settings.load().state_directory == folder / "mine"
