#!/usr/bin/env bash
# Checks binder/ without docker, in a folder of its own:
#   scripts/check_binder.sh [FOLDER]        TORCH= takes torch's default build (see binder/postBuild)
# 1. repo2docker writes the Dockerfile, which refuses what it cannot read
# 2. a fresh environment with the Jupyter of repo2docker's own base image
# 3. the Dockerfile's pip lines and binder/postBuild, in a clean copy of what is committed
# 4. every notebook, executed within the 2 GB that mybinder.org has for one user
set -euo pipefail
repo=$(git rev-parse --show-toplevel)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
echo "==> in $work"

python3 -m venv "$work/tools"
"$work/tools/bin/pip" install --quiet uv jupyter-repo2docker
git clone --quiet "$repo" "$work/repo"
cd "$work/repo"

echo "==> repo2docker"
"$work/tools/bin/jupyter-repo2docker" --no-build --debug . > "$work/Dockerfile" 2> "$work/log"
python=$(sed 's/python-//' binder/runtime.txt)
packages=$("$work/tools/bin/python" -c 'import repo2docker, pathlib; print(pathlib.Path(repo2docker.__file__).parent)')
lock="$packages/buildpacks/conda/environment.py-$python-linux-64.lock"
grep -oP '(?<=/)(jupyterlab|notebook|ipykernel|ipywidgets|jupyter_server|jupyterlab_widgets)-[0-9.]+(?=-)' "$lock" \
  | sed 's/-\([0-9]\)/==\1/' | tee "$work/base.txt"

echo "==> Python $python with that base"
"$work/tools/bin/uv" venv --quiet --seed --python "$python" "$work/env" || {
  python=$(python3 -c 'import platform; print(platform.python_version())')
  echo "    that Python is out of reach; Python $python takes its place"
  "$work/tools/bin/uv" venv --quiet --seed --python "$(command -v python3)" "$work/env"
}
export PATH="$work/env/bin:$PATH" VIRTUAL_ENV="$work/env" HOME="$work/repo"
pip install --quiet --requirement "$work/base.txt"

echo "==> the Dockerfile's pip lines and postBuild"
grep -hoP '(?<=/bin/)pip install.*' "$work/Dockerfile" "$work/log" | sort -u | while read -r line; do
  echo "+ $line"
  eval "$line --quiet"
done
binder/postBuild
pip check

du --summarize --human-readable "$work/env"

echo "==> notebooks"
for notebook in notebooks/*.ipynb; do
  python - "$notebook" <<'PYTHON'
import resource, subprocess, sys

command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout", sys.argv[1]]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # of the kernel, in GB
print(f"{sys.argv[1]}: {peak:.2f} GB")
sys.exit(peak > 2)
PYTHON
done
echo "==> binder/ works"
