"""A line on which browsers speak to widgets, and on which the kernel never speaks.

ipykernel 7.4 hands a message of a browser to the thread that last wrote to its comm, so that a
widget to which a cell wrote hears nothing until the cell that runs has ended. shared/line.mjs opens
one comm to which nobody writes, and sends over it what would go over those of the widgets.
"""

from __future__ import annotations

from typing import Any

import comm
from comm.base_comm import BaseComm

TARGET = "xwidgets.line"


def listen() -> None:
    """Take lines that browsers open; once more does no harm."""
    comm.get_comm_manager().register_target(TARGET, _opened)


def _opened(line: BaseComm, _: object) -> None:
    line.on_msg(_pass_on)


def _pass_on(message: dict[str, Any]) -> None:
    """Hand a message to the comm that it names; those of closed widgets are there no more."""
    content = message["content"]
    match content["data"]:
        case {"to": str(to), "data": data}:
            addressed = comm.get_comm_manager().comms.get(to)
            if addressed is not None:
                content = {**content, "comm_id": to, "data": data}
                addressed.handle_msg({**message, "content": content})
