"""The embedded server belongs to who started it: what other users of the same machine try.

Run by root, as in CI, the tests start the server as root and as an ordinary user, and attack it as others. Run by an
ordinary user they can only look at what is open to whom.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server import postgres_programs
from collection_pipeline.tables.server.embedded import start_embedded, stop_embedded
from collection_pipeline.tables.server.postgres_programs import find_programs
from collection_pipeline.tables.server.private_folders import forget_short_path
from collection_pipeline_tests.attacks.becoming import IS_ROOT, NOBODY, STRANGER, as_user
from collection_pipeline_tests.waiting import await_true

OWNERS = [os.geteuid(), NOBODY] if IS_ROOT else [os.geteuid()]
PATHS = ("home", f'it\'s a "home", 100 % größer: $HOME {"lang " * 30}')

needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can act as another user")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, so that only what is in it protects itself."""
    folder = Path(tempfile.mkdtemp(prefix="cp_attack_"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module", params=PATHS, ids=("short", "long"))
def home(request: pytest.FixtureRequest) -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / str(request.param)


@pytest.fixture(scope="module", params=OWNERS, ids=("me", "nobody")[: len(OWNERS)])
def owner(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def server(home: Path, owner: int) -> Iterator[sa.URL]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EBAY_CLIENT_SECRET", "hunter2")
        environment.setenv("PGPORT", "5999")
        url = as_user(owner, lambda: start_embedded(home))
    yield url
    postmaster(home).send_signal(signal.SIGINT)
    as_user(owner, lambda: forget_short_path(home / "postgres.socket"))
    await_true(lambda: not (home / "postgres" / "postmaster.pid").exists(), 20)
    shutil.rmtree(home)


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


def says_hello(url: sa.URL, driver: str = "psycopg") -> str:
    engine = sa.create_engine(url.set(drivername=f"postgresql+{driver}"))
    try:
        with engine.connect() as connection:
            return str(connection.scalar(sa.text("SELECT 'hello'")))
    finally:
        engine.dispose()


def open_to_others(folder: Path) -> list[Path]:
    """What group or others may read or write, in places that they can reach."""
    return [path for path in (folder, *folder.iterdir()) if not path.is_symlink() and path.stat().st_mode & 0o077]


def test_its_owner_is_let_in_whatever_the_path_is_called(server: sa.URL, owner: int) -> None:
    assert as_user(owner, lambda: says_hello(server)) == "hello"
    assert as_user(owner, lambda: says_hello(server, "psycopg2")) == "hello"
    address = server.render_as_string()
    connected = as_user(owner, lambda: psycopg.connect(address).info.dbname)
    assert connected == "postgres"
    assert not {" ", "'", '"', "$", "%20"} & set(address)


@needs_root
def test_another_user_finds_neither_the_socket_nor_a_file(server: sa.URL, home: Path) -> None:
    with pytest.raises(RuntimeError, match="Permission denied"):
        as_user(STRANGER, lambda: says_hello(server))
    for folder in (home, home / "postgres", Path(str(server.query["host"]))):
        with pytest.raises(RuntimeError, match="PermissionError"):
            as_user(STRANGER, lambda folder=folder: os.listdir(folder))  # type: ignore[misc]


@needs_root
def test_another_user_is_refused_by_the_server_even_where_every_folder_was_opened(server: sa.URL, home: Path) -> None:
    socket_folder = Path(str(server.query["host"]))
    ways = (home, home / "postgres", home / "postgres" / ".s.PGSQL.5432", socket_folder.parent)
    closed = {path: path.stat().st_mode for path in ways}
    try:
        for path in ways:
            path.chmod(0o777)
        for login in ("postgres", "nobody", "root"):
            with pytest.raises(RuntimeError, match=r"Peer authentication failed"):
                as_user(STRANGER, lambda login=login: says_hello(server.set(username=login)))  # type: ignore[misc]
    finally:
        for path, mode in closed.items():
            path.chmod(mode)


def test_nothing_is_open_to_group_or_others(server: sa.URL, home: Path) -> None:
    socket_folder = Path(str(server.query["host"]))
    assert open_to_others(home) == []
    assert open_to_others(home / "postgres") == []
    assert stat.S_IMODE((home / "postgres" / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert socket_folder == home / "postgres" or open_to_others(socket_folder.parent) == []


@pytest.mark.usefixtures("server")
def test_there_is_no_port_and_no_secret_in_the_server_s_environment(home: Path) -> None:
    process = postmaster(home)
    assert process.net_connections("inet") == []
    assert not {"EBAY_CLIENT_SECRET", "PGPORT"} & set(process.environ())


def test_a_home_of_an_earlier_version_becomes_private_even_while_its_server_runs(place: Path) -> None:
    home = place / "home"
    folder = home / "postgres"
    folder.mkdir(parents=True)
    home.chmod(0o755)
    programs = find_programs(folder)
    if programs.user is not None:
        os.chown(folder, programs.user.pw_uid, programs.user.pw_gid)
    folder.chmod(0o700)
    data = programs.data_folder(folder)
    programs.run(folder, [str(programs.bin / "initdb"), "-D", data, "-U", "postgres", "--auth=trust"])
    with tempfile.TemporaryDirectory() as earlier:
        Path(earlier).chmod(0o777)
        command = f"'{programs.bin}/postgres' -D '{data}' -h '' -k {earlier} >>log 2>&1 &"
        programs.run(folder, ["/bin/sh", "-c", command])
        await_true(lambda: (Path(earlier) / ".s.PGSQL.5432").exists(), 20)
        url = start_embedded(home)
        assert says_hello(url) == "hello"
        assert not (Path(earlier) / ".s.PGSQL.5432").exists()
    assert "trust" not in (folder / "pg_hba.conf").read_text()
    assert open_to_others(home) == []
    stop_embedded(home)
    assert not (folder / "postmaster.pid").exists()


@needs_root
def test_root_that_may_not_look_into_processes_still_knows_the_server_that_runs(place: Path) -> None:
    """As in a container: without CAP_SYS_PTRACE the folder of another user's process cannot be seen."""
    home = place / "home"
    url = start_embedded(home)
    started = postmaster(home).pid
    use = "from pathlib import Path; from collection_pipeline.tables.server.embedded import start_embedded"
    program = f"{use}; start_embedded(Path({str(home)!r}))"
    subprocess.run(["setpriv", "--bounding-set", "-sys_ptrace", sys.executable, "-c", program], check=True)
    assert postmaster(home).pid == started
    assert says_hello(url) == "hello"
    stop_embedded(home)


@needs_root
def test_a_folder_that_somebody_else_made_in_the_temporary_folder_is_not_used(place: Path) -> None:
    home = place / ("long" * 30)
    home.mkdir(mode=0o700)
    for trap in (place / "trap", place / "link"):
        with suppress(FileExistsError):
            as_user(STRANGER, lambda trap=trap: trap.mkdir(0o700) if trap.name == "trap" else trap.symlink_to("/etc"))  # type: ignore[misc]
        (home / "postgres.socket").write_text(str(trap))
        socket_folder = Path(str(start_embedded(home).query["host"]))
        assert socket_folder.parent != trap
        assert socket_folder.parent.stat().st_uid == 0
        stop_embedded(home)
        assert not socket_folder.parent.exists()


@needs_root
def test_root_s_folders_stay_closed_and_its_files_whole(place: Path) -> None:
    above = place / "above"
    above.mkdir(mode=0o700)
    precious = above / "precious"
    precious.write_text("precious")
    home = above / "home"
    start_embedded(home)
    stop_embedded(home)
    assert stat.S_IMODE(above.stat().st_mode) == 0o700
    assert (home / "postgres").stat().st_uid != 0
    (home / "postgres" / "pg_hba.conf").unlink()
    (home / "postgres" / "pg_hba.conf").symlink_to(precious)  # as the server's user could
    start_embedded(home)
    stop_embedded(home)
    assert not (home / "postgres" / "pg_hba.conf").is_symlink()
    assert precious.read_text() == "precious"


@needs_root
def test_programs_in_a_closed_folder_of_root_are_copied_and_the_folder_stays_closed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    installed = postgres_programs._installed()
    for part in postgres_programs._PARTS:
        shutil.copytree(installed / part, closed / part, symlinks=True)
    monkeypatch.setattr(postgres_programs, "_installed", lambda: closed)
    monkeypatch.setattr(postgres_programs, "COPIES", place / "copies")
    home = place / "home"
    assert says_hello(start_embedded(home)) == "hello"
    assert Path(postmaster(home).exe()).is_relative_to(place / "copies")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not (place / "copies").stat().st_mode & 0o022
    stop_embedded(home)


def _a_file(place: Path) -> Path:
    (place / "file").write_text("")
    return place / "file"


def _in_a_file(place: Path) -> Path:
    return _a_file(place) / "home"


def _shared(place: Path) -> Path:
    place.chmod(0o1777)
    return place


def _with_other_things(place: Path) -> Path:
    (place / "documents").mkdir()
    return place


@pytest.mark.parametrize("made", [_a_file, _in_a_file, _shared, _with_other_things])
def test_a_home_that_cannot_be_private_is_refused_and_left_as_it_is(place: Path, made: Callable[[Path], Path]) -> None:
    home = made(place)
    before = place.stat().st_mode
    with pytest.raises(PipelineError, match=r"^COLLECTION_HOME is [^\n]*$"):
        start_embedded(home)
    assert place.stat().st_mode == before


@needs_root
def test_a_home_of_somebody_else_is_refused(place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    with pytest.raises(RuntimeError, match="belongs to root"):
        as_user(NOBODY, lambda: start_embedded(home))


def test_a_half_made_server_is_made_anew(place: Path) -> None:
    half = place / "home" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (place / "home" / "postgres.lock").touch()
    assert says_hello(start_embedded(place / "home")) == "hello"
    assert not half.exists()
    stop_embedded(place / "home")
