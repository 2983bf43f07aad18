"""The ``war-rig`` command. Exit codes: 0 done, 1 the work failed, 2 usage or
configuration, 130 interrupted."""

import sys
from typing import NoReturn


def main() -> None:
    """Run the command line; every failure ends as one readable block on stderr."""
    try:
        from containers import cli  # here, so that Ctrl-C meets no traceback while it loads

        cli.app(prog_name="war-rig")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # the last border: a fault of War Rig's own, not a traceback
        _fail(error)


def _fail(failure: Exception) -> NoReturn:
    from containers.cli import debug, spent
    from war_rig.errors import ConfigError, PluginError, UnknownProviderError, WarRigError

    text = "\n".join([str(failure), *spent.lines(getattr(failure, "attempts", ()))])
    if not isinstance(failure, WarRigError):
        text = (
            f"War Rig itself failed: {type(failure).__name__}: {text}\n"
            "  run it again with --debug and report what it prints"
        )
    if debug.is_on:
        _print_traceback(failure)
    print(f"error: {_redacted(text)}", file=sys.stderr)
    is_usage = isinstance(failure, (ConfigError, UnknownProviderError, PluginError))
    sys.exit(2 if is_usage else 1)


def _redacted(text: str) -> str:
    from war_rig.providers.secrets import Redactor

    return Redactor().redact(text)


def _print_traceback(failure: Exception) -> None:
    import traceback

    print(_redacted("".join(traceback.format_exception(failure))), file=sys.stderr)


if __name__ == "__main__":
    main()
