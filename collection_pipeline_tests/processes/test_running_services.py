import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.processes.running_services import (
    Services,
    free_port,
    make_private,
    only_one,
    require_free_port,
)

HOLDER = """
import sys
from pathlib import Path
from collection_pipeline.processes.running_services import only_one
with only_one(Path(sys.argv[1])) as is_first:
    print(is_first, flush=True)
    sys.stdin.read()
"""


def test_a_note_knows_its_own_process() -> None:
    me = psutil.Process()
    assert Services(me.pid, me.create_time(), "", "", None, ()).is_running
    assert not Services(me.pid, me.create_time() - 1, "", "", None, ()).is_running


def test_a_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text("{}")
    assert Services.read(tmp_path) is None


def test_a_port_that_is_taken_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PipelineError, match=f"Port {port} .* --port {port + 1}"):
            require_free_port("127.0.0.1", port, "--port")
    require_free_port("127.0.0.1", free_port(), "--port")


def test_a_note_is_for_its_owner_alone(tmp_path: Path) -> None:
    Services(1, 0.0, "", "", None, (2,)).write(tmp_path)
    Services(1, 0.0, "", "", None, (2, 3)).write(tmp_path)
    assert json.loads((tmp_path / "services.json").read_text())["groups"] == [2, 3]
    assert stat.S_IMODE((tmp_path / "services.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["services.json"]


def test_folders_are_for_their_owner_alone_also_one_that_was_open_before(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    for folder in (tmp_path / "new" / "home" / "logs", tmp_path / "open"):
        make_private(folder)
    made = [tmp_path / "new", tmp_path / "new" / "home", tmp_path / "new" / "home" / "logs", tmp_path / "open"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in made} == {0o700}


def test_of_two_that_start_at_once_one_is_first_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    command = [sys.executable, "-c", HOLDER, str(lock)]
    holders = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        said = [holder.stdout.readline().strip() for holder in holders if holder.stdout]
        assert sorted(said) == ["False", "False", "False", "True"]
        with only_one(lock) as is_first:
            assert not is_first
        first = holders[said.index("True")]
        first.kill()
        first.wait()
        with only_one(lock) as is_first:
            assert is_first
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
