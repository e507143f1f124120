"""Scripts that jobs run in tests of several kinds of daemons."""

from __future__ import annotations

# The first of two hosts prints what the second one says to it; PORT is replaced.
HOSTS = r"""
import json, socket, time
here = json.load(open("/opt/ml/input/config/resourceconfig.json"))
assert here["hosts"] == ["algo-1", "algo-2"] and here["current_host"] == socket.gethostname(), here
if here["current_host"] == "algo-1":
    with socket.create_server(("algo-1", PORT)) as server:
        connection, address = server.accept()
        print("heard", connection.recv(99).decode(), flush=True)
else:
    for _ in range(600):
        try:
            connection = socket.create_connection(("algo-1", PORT), source_address=("algo-2", 0))
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    connection.sendall(b"algo-2")
"""
# Installs a package that was not there, by requirements.txt, and runs its command.
INSTALL = """
import importlib.util, pathlib, subprocess, sys, zipfile
assert importlib.util.find_spec("of_one_job") is None, "it was there before"
wheel = pathlib.Path("/tmp/of_one_job-1.0-py3-none-any.whl")
with zipfile.ZipFile(wheel, "w") as archive:
    archive.writestr("of_one_job.py", "def main(): print('installed')")
    info = "of_one_job-1.0.dist-info"
    archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: of-one-job\\nVersion: 1.0\\n")
    archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nof-one-job = of_one_job:main\\n")
    archive.writestr(f"{info}/RECORD", "")
requirements = pathlib.Path("/opt/ml/code/requirements.txt")
requirements.write_text(str(wheel))
pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check"]
subprocess.run([*pip, "-r", str(requirements)], check=True, stderr=subprocess.DEVNULL)
subprocess.run([pathlib.Path(sys.prefix, "bin", "of-one-job")], check=True)
"""
