"""What War Rig weighs against its peers, as ratios within one run.

    python tests/benchmarks/weight.py [--llm PATH_OF_SIMONW_LLM] [--runs 10]

CPU time (user and system) of whole processes, a bare interpreter's taken off,
medians over interleaved runs. The cold start asks a server on loopback, once
through ``war-rig ask`` with the openai provider and once through ``llm
--no-stream``, the command of the distribution ``llm``, from an environment of
its own.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from loopback import answer, chat_completion, serve

BARE = (sys.executable, "-c", "pass")


def cpu_seconds(command: tuple[str, ...], env: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(
    title: str, ours: tuple[str, ...], theirs: tuple[str, ...], env: dict[str, str], runs: int
) -> None:
    for command in (BARE, ours, theirs):
        cpu_seconds(command, env)
    rounds = [[cpu_seconds(c, env) for c in (BARE, ours, theirs)] for _ in range(runs)]
    bare, own, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [(o - b) / (t - b) for b, o, t in rounds]
    ours_ms, theirs_ms = 1000 * (own - bare), 1000 * (other - bare)
    print(
        f"{title}: ratio of medians {ours_ms / theirs_ms:.2f}, "
        f"per round {min(ratios):.2f}-{max(ratios):.2f} "
        f"(net {ours_ms:.0f} ms against {theirs_ms:.0f} ms of CPU, {runs} runs)"
    )


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--llm", help="the llm command of another environment")
    arguments.add_argument("--runs", type=int, default=10)
    options = arguments.parse_args()
    env = {"PATH": os.environ["PATH"]}
    compare(
        "import war_rig.providers / import httpx",
        (sys.executable, "-c", "import war_rig.providers"),
        (sys.executable, "-c", "import httpx"),
        env,
        options.runs,
    )
    if options.llm:
        with serve(answer(chat_completion())) as server, tempfile.TemporaryDirectory() as home:
            cold_start(options.llm, f"{server.url}/v1", Path(home), options.runs)


def cold_start(llm: str, url: str, home: Path, runs: int) -> None:
    models = home / "extra-openai-models.yaml"
    models.write_text(
        f"- model_id: loopback\n  model_name: m\n  api_base: {url}\n  api_key_name: openai\n"
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LLM_USER_PATH": str(home),
        "LLM_PROVIDER": "openai",
        "OPENAI_API_KEY": "sk-loopback",
        "OPENAI_BASE_URL": url,
        "OPENAI_MODEL": "m",
    }
    war_rig = str(Path(sys.executable).parent / "war-rig")
    theirs = (llm, "--no-stream", "-m", "loopback", "Hello")
    compare("war-rig ask / llm --no-stream", (war_rig, "ask", "Hello"), theirs, env, runs)


if __name__ == "__main__":
    main()
