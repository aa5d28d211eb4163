"""The process that works on a run, named in its tags for whoever wants to stop it or to know whether it lives."""

import json
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil

PROCESS_TAG = ".dagster/run_process"
"""Dagster's UI does not show tags that begin like this."""


@dataclass(frozen=True, slots=True)
class RunProcess:
    """A process of some machine. Its time of birth tells it from a later one of the same number."""

    host: str
    process_id: int
    created: float

    def __str__(self) -> str:
        return f"The process {self.process_id} on {self.host}"

    @classmethod
    def of(cls, process_id: int) -> "RunProcess | None":
        """A process of this machine; None if it has ended already."""
        with suppress(psutil.NoSuchProcess):
            return cls(socket.gethostname(), process_id, psutil.Process(process_id).create_time())
        return None

    @classmethod
    def in_tags(cls, tags: Mapping[str, str]) -> "RunProcess | None":
        """The one that a run's tags name, if they name one."""
        return cls(**json.loads(tags[PROCESS_TAG])) if PROCESS_TAG in tags else None

    def as_tags(self) -> dict[str, str]:
        """The tags that name it."""
        return {PROCESS_TAG: json.dumps(asdict(self))}

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether it still works. Only a process of this machine can be asked."""
        try:
            process = psutil.Process(self.process_id)
            return process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def interrupt(self) -> bool:
        """Asks it to stop its run; whether it was there to be asked."""
        if not self.is_alive:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.process_id, signal.SIGINT)
        return True
