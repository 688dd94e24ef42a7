#!/usr/bin/env bash
# A comm message that names a subshell waits for the running cell all the same, when the kernel's side
# of the comm was last written to by a cell.
#
# Jupyter's subshells (JEP 91) are threads beside the one that runs cells, and a shell message is handled
# in the one that its header names. ipykernel 7.4.0 handles comm messages in the thread from which the
# comm last sent something, which is that of the cells for each comm that a cell opened. A comm that the
# other side opened in a subshell is heard there while a cell runs.
#
# Seen with ipykernel 7.4.0, jupyter_client 8.10.0: "opened by a cell" after the cell, "opened from
# outside" while it runs. Who sends commands to a kernel while cells run needs a comm of the second kind.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ipykernel==7.4.0 jupyter_client==8.10.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time
from uuid import uuid4

from jupyter_client.manager import KernelManager

PREPARED = """
import time, comm
heard = {}
def listen(one, message=None):
    one.on_msg(lambda message: heard.setdefault(message['content']['data'], time.monotonic()))
inside = comm.create_comm(target_name='inside')
listen(inside)
comm.get_comm_manager().register_target('outside', listen)
print(inside.comm_id)
"""

manager = KernelManager(kernel_cmd=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)


def run(code):
    said = []
    client.execute_interactive(
        code, timeout=60, output_hook=lambda message: said.append(message["content"].get("text", ""))
    )
    return "".join(said).strip()


def send(kind, content):
    message = client.session.msg(kind, content)
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)


try:
    inside = run(PREPARED)
    client.control_channel.send(client.session.msg("create_subshell_request", {}))
    subshell = client.get_control_msg(timeout=30)["content"]["subshell_id"]
    outside = uuid4().hex
    send("comm_open", {"comm_id": outside, "target_name": "outside", "data": {}})
    time.sleep(1)
    client.execute("time.sleep(4); ended = time.monotonic()")
    time.sleep(1)
    send("comm_msg", {"comm_id": inside, "data": "opened by a cell"})
    send("comm_msg", {"comm_id": outside, "data": "opened from outside"})
    time.sleep(5)
    told = run("print({name: 'while it runs' if heard[name] < ended else 'after the cell' for name in sorted(heard)})")
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(told)
expected = {"opened by a cell": "after the cell", "opened from outside": "while it runs"}
raise SystemExit(0 if told == str(expected) else "ipykernel behaves otherwise now")
PYTHON
