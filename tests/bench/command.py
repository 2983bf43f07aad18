"""What a question costs at the command line, beside `llm`, the command of another project.

    python tests/bench/command.py [--runs 10]

CPU time (user and system) of whole processes, a bare interpreter's taken off, medians over
interleaved runs. Both ask the mock server once: `war-rig ask`, with the openai provider, and
`llm --no-stream`, from an environment of its own.
"""

import argparse
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

import processes
import venvs
from adapters import war_rig

Command = tuple[str, ...]


def cpu_seconds(command: Command, env: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=60, cwd=env["HOME"]
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(ours: Command, theirs: Command, bare: Command, env: dict[str, str], runs: int) -> None:
    commands = (bare, ours, theirs)
    for command in commands:
        cpu_seconds(command, env)
    rounds = [[cpu_seconds(command, env) for command in commands] for _ in range(runs)]
    floor, own, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [(o - b) / (t - b) for b, o, t in rounds]
    ours_ms, theirs_ms = 1000 * (own - floor), 1000 * (other - floor)
    print(
        f"war-rig ask / llm --no-stream: ratio of medians {ours_ms / theirs_ms:.2f}, "
        f"per round {min(ratios):.2f}-{max(ratios):.2f} "
        f"(net {ours_ms:.0f} ms against {theirs_ms:.0f} ms of CPU, {runs} runs)"
    )


def environment(home: Path, url: str) -> dict[str, str]:
    """Return what both read: keys, and where the server is."""
    (home / "extra-openai-models.yaml").write_text(
        f"- model_id: loopback\n  model_name: m\n  api_base: {url}\n  api_key_name: openai\n"
    )
    return venvs.ENV | {
        "HOME": str(home),
        "LLM_USER_PATH": str(home),
        "LLM_PROVIDER": "openai",
        "OPENAI_API_KEY": "sk-loopback",
        "OPENAI_BASE_URL": url,
        "OPENAI_MODEL": "m",
    }


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=10)
    options = arguments.parse_args()
    ours, theirs = (venvs.python(requires).parent for requires in (war_rig.REQUIRES, ("llm",)))
    with processes.serving() as url, tempfile.TemporaryDirectory() as home:
        compare(
            (str(ours / "war-rig"), "ask", "Hello"),
            (str(theirs / "llm"), "--no-stream", "-m", "loopback", "Hello"),
            (str(ours / "python"), "-c", "pass"),
            environment(Path(home), url),
            options.runs,
        )


if __name__ == "__main__":
    main()
