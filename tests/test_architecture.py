"""The rooms import only what they may, load only what they need, and export what is promised."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from conftest import ROOT

STANDARD = set(sys.stdlib_module_names)

# Room -> the rooms and third-party packages that it may import. "lazily" ones only in a function.
MAY_IMPORT = {
    "war_rig.forking": set(),
    "war_rig.ledger": {"war_rig.forking"},
    "war_rig.errors": {"war_rig.ledger"},
    "war_rig.names": {"war_rig.errors"},
    "war_rig.plugins": {"war_rig.names"},
    "war_rig.shipped": set(),
    "war_rig.yaml_file": {"war_rig.errors", "yaml"},
    "war_rig.providers": {
        "war_rig.errors", "war_rig.forking", "war_rig.ledger", "war_rig.names", "war_rig.plugins",
        "war_rig.shipped", "war_rig",
    },
    "war_rig.config": {
        "war_rig.errors", "war_rig.names", "war_rig.plugins", "war_rig.shipped",
        "war_rig.yaml_file", "pydantic",
    },
    "war_rig.agents": {"war_rig.errors", "war_rig.forking", "war_rig.providers"},
    "war_rig.policies": {
        "war_rig.errors", "war_rig.forking", "war_rig.ledger", "war_rig.providers", "war_rig",
    },
    "war_rig.readers": {"war_rig.errors", "war_rig.plugins"},
    "war_rig.document": {
        "war_rig.errors", "war_rig.agents", "war_rig.policies", "war_rig.providers",
        "war_rig.readers", "pydantic",
    },
    "war_rig.testing": {
        "war_rig.errors", "war_rig.names", "war_rig.policies", "war_rig.providers",
        "war_rig.config", "war_rig.entries",
    },
    "war_rig.stacks": {
        "war_rig.errors", "war_rig.ledger", "war_rig.config", "war_rig.policies",
    },
    "war_rig.worst_case": {"war_rig.config"},
    "war_rig.entries": {
        "war_rig.errors", "war_rig.names", "war_rig.providers", "war_rig.config",
    },
    "war_rig.wiring": {
        "war_rig.errors", "war_rig.ledger", "war_rig.providers", "war_rig.policies",
        "war_rig.config", "war_rig.agents", "war_rig.entries", "war_rig.stacks",
        "dependency_injector",
    },
}  # fmt: skip
MAY_IMPORT_LATE = {
    "war_rig.plugins": {"packaging"},
    "war_rig.providers.openai": {"openai", "httpx2"},
    "war_rig.providers.chat_completions": {"openai"},
    "war_rig.providers.http.connections": {"aiohttp", "httpx", "httpx_aiohttp", "yarl"},
    "war_rig.providers.http.paths": {"jmespath"},
    "war_rig.providers.http.vendor": {"war_rig.yaml_file"},
    "war_rig.policies.prices": {"genai_prices"},
    "war_rig.policies.telemetry": {"opentelemetry"},
    "war_rig.agents": {"pydantic"},
}
PYTEST_LOADS = {"containers.pytest_plugin", "war_rig.testing.pytest_plugin"}
"""The modules that nobody but pytest imports, so that pytest need not be declared for them."""

LAZY = pytest.mark.parametrize("package", ["containers", "war_rig.policies", "war_rig.testing"])

EXPORTS = {
    "war_rig.providers": "CompletionChunk CompletionResponse LLMProvider Message "
    "available_providers create_provider register_provider",
    "war_rig.providers.http": "HttpProvider",
    "war_rig.testing": "Arrival Call FakeProvider Fault FaultyProvider RehearsalLoop cut during "
    "malformed rate_limited rehearse server_error stalled unreachable",
    "war_rig.testing.conformance": "Kit Rule Verdict",
    "war_rig.policies": "CacheStore CachedProvider",
    "war_rig.config": "AgentSettings DocumentSettings Located Origin PolicySettings ProviderEntry "
    "Settings load",
    "war_rig.readers": "Fact Problem Reader Reading Source Unit clipped decode reader_for readers",
    "war_rig.document": "Citation Claim DocsFolder Plan Progress Summary document estimate plan",
    "containers": "Application application close running",
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("war_rig", "containers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield dotted.removesuffix(".__init__"), path


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield every module that *path* imports, and whether only inside a function."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    late = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield str(node.module), id(node) in late


def room(module: str) -> str:
    return ".".join(module.split(".")[:2]) if module.startswith("war_rig.") else module


def top(module: str) -> str:
    return room(module) if module.startswith("war_rig") else module.split(".")[0]


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value))
def test_a_room_imports_only_what_it_may(module: str, path: Path) -> None:
    """The arrows point one way: up the table of rooms, and to the packages of that room."""
    if module in ("war_rig", "war_rig.__init__"):
        assert list(imported(path)) == []
        return
    if module.startswith("containers"):
        return
    allowed = MAY_IMPORT[room(module)] | {room(module)}
    allowed |= {"pytest"} if module in PYTEST_LOADS else set()
    late_too = MAY_IMPORT_LATE.get(module, set())
    for name, is_late in imported(path):
        target = top(name)
        assert target in STANDARD | allowed or (is_late and target in late_too), f"{name}"


def test_every_package_that_is_imported_is_declared() -> None:
    """What runs is declared by name: nothing leans on what a dependency happens to bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["otel"], *extras["prices"]]
    declared = {re.split(r"[\[<>=~ ]", one)[0] for one in wanted}
    names = {
        top(name)
        for module, path in modules()
        for name, _ in imported(path)
        if module not in PYTEST_LOADS or name != "pytest"
    }
    foreign = {name for name in names - STANDARD if not name.startswith(("war_rig", "containers"))}
    brought_by = packages_distributions()
    used = [{brought.lower() for brought in brought_by[name]} & declared for name in foreign]
    assert all(used)
    assert set().union(*used) == declared


def test_nothing_in_war_rig_imports_containers() -> None:
    """The container knows the rooms; no room knows the container."""
    for module, path in modules():
        if module.startswith("war_rig"):
            assert not any(name.startswith("containers") for name, _ in imported(path)), module


def test_every_room_has_its_arrows() -> None:
    """A new room is not added without saying what it may import."""
    found = {room(module) for module, _ in modules() if module.startswith("war_rig.")}
    assert found == set(MAY_IMPORT)


@pytest.mark.parametrize("package", EXPORTS)
def test_the_public_names_are_these(package: str) -> None:
    """What is public is pinned: adding or removing a name is a decision."""
    module = __import__(package, fromlist=["__all__"])
    assert sorted(module.__all__) == sorted(EXPORTS[package].split())
    for name in module.__all__:
        assert getattr(module, name) is not None


HTTP_TYPE = re.compile(r"\b(?:httpx2?|httpcore2?|httpx_aiohttp|aiohttp|yarl|openai)\.")


def signatures(public: object) -> Iterator[str]:
    """Yield the signature of *public*, and where it is a class those of its public members."""
    members = inspect.getmembers_static(public) if inspect.isclass(public) else []
    shown = [member for name, member in members if name == "__init__" or not name.startswith("_")]
    for member in [public, *shown]:
        found = member.fget if isinstance(member, property) else member
        found = getattr(found, "__func__", found)  # of a static method, or one of a class
        if inspect.isfunction(found):
            yield str(inspect.signature(found))


@pytest.mark.parametrize("package", EXPORTS)
def test_no_public_signature_has_a_type_of_an_http_library(package: str) -> None:
    """Who asks a provider, or writes one, meets no HTTP library but the one that is chosen."""
    module = __import__(package, fromlist=["__all__"])
    for name in module.__all__:
        found = list(signatures(getattr(module, name)))
        assert not [one for one in found if HTTP_TYPE.search(one)], name


def test_a_type_of_an_http_library_would_be_found() -> None:
    """What is inside has one, and is seen to have it."""
    from war_rig.providers.http.exchange import StreamedAnswer

    assert [one for one in signatures(StreamedAnswer) if HTTP_TYPE.search(one)]


def test_the_errors_are_these() -> None:
    """The error tree is the documented one."""
    from war_rig import errors

    tree = {
        name: kind.__mro__[1].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.WarRigError)
    }
    assert tree.pop("WarRigError") == "Exception"
    own = {"ConfigError", "UnknownProviderError", "PluginError", "ProviderError"}
    assert {name for name, base in tree.items() if base == "WarRigError"} == own
    assert {name for name, base in tree.items() if base == "ProviderError"} == {
        "AuthenticationError", "RateLimitError", "QuotaExceededError", "ModelNotFoundError",
        "BadRequestError", "ContextTooLongError", "ContentRefusedError", "ServerError",
        "ProviderConnectionError", "ProviderTimeoutError", "MalformedAnswerError",
        "BudgetExceededError", "CircuitOpenError",
    }  # fmt: skip


def loaded_by(*command: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after *command*."""
    code = f"import sys\n{command[0]}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def test_importing_the_providers_loads_the_standard_library_only() -> None:
    """A plugin pays for the contract, not for War Rig; neither asyncio nor metadata is needed."""
    loaded = loaded_by("import war_rig.providers")
    foreign = {name.split(".")[0] for name in loaded} - STANDARD - {"war_rig", "__main__"}
    assert {name for name in foreign if not name.startswith("_")} <= {"sitecustomize"}
    assert not loaded & {"asyncio", "importlib.metadata", "logging"}


HEAVY = {"dependency_injector", "pydantic", "yaml", "openai", "httpx", "aiohttp", "asyncio"}


def test_help_loads_nothing_heavy() -> None:
    """`war-rig --help` answers without the container, the configuration or an SDK."""
    code = (
        "sys.argv = ['war-rig', '--help']\nfrom containers.__main__ import main\n"
        "import contextlib, io\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()"
    )
    assert not loaded_by(code) & HEAVY


def test_the_offline_answer_loads_no_sdk() -> None:
    """What is not selected is not imported."""
    code = (
        "import contextlib, io\nfrom containers import application\n"
        "application(env={}).agents('assistant').run_sync('Hello')"
    )
    assert not loaded_by(code) & {"openai", "httpx", "httpx2", "aiohttp", "rich"}


def test_a_policy_that_is_not_declared_is_not_imported() -> None:
    """Of those that few declare; the cache's is SQLite, too."""
    loaded = loaded_by("from containers import application\napplication(env={}).llm_provider()")
    few = ("cache", "cache_store", "circuit_breaker", "gate", "rate_limit", "telemetry", "trace")
    assert not loaded & {"sqlite3", *(f"war_rig.policies.{name}" for name in few)}


def test_a_declared_provider_loads_nothing_before_its_first_call() -> None:
    """A definition that is built, but never asked, costs neither HTTP library nor JMESPath."""
    code = (
        "from war_rig.providers.http import HttpProvider\n"
        "HttpProvider('https://h', 'm', request={'t': '$messages'}, response={'content': 'a[0].b'})"
    )
    assert not loaded_by(code) & {"httpx", "httpx_aiohttp", "aiohttp", "yarl", "jmespath", "yaml"}


def test_importing_containers_loads_nothing_else() -> None:
    """The package is lazy, and its function keeps its name whoever imports the module."""
    assert not loaded_by("import containers") & {"dependency_injector", "war_rig.wiring"}
    loaded_by("import containers.application, containers; assert callable(containers.application)")
    loaded_by(
        "from containers.application import Application\nfrom containers import application\n"
        "assert application(env={}).llm_provider().name == 'offline'"
    )


@LAZY
def test_a_lazy_package_offers_its_names(package: str) -> None:
    """Who asks what a package has, as a notebook's completion does, is told before any use."""
    assert set(EXPORTS[package].split()) <= set(dir(import_module(package)))


def test_the_pytest_plugin_costs_a_pytest_run_nothing() -> None:
    """Where pytest finds the plugin, it loads that file and the two empty packages above it."""
    own = {"war_rig", "war_rig.testing", "war_rig.testing.pytest_plugin"}
    loaded = loaded_by("import war_rig.testing.pytest_plugin")
    assert loaded - loaded_by("import pytest") == own


@LAZY
def test_an_unknown_name_of_a_lazy_package_is_an_attribute_error(package: str) -> None:
    """A lazy package still says what it does not have."""
    module = import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nope'"):
        _ = module.nope


def test_every_module_and_public_thing_has_a_docstring() -> None:
    """Public modules, classes and functions say what they are."""
    for module, path in modules():
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), module
        for node in ast.walk(tree):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                is_public = not node.name.startswith("_") and node in tree.body
                assert not is_public or ast.get_docstring(node), f"{module}.{node.name}"


def test_the_wheel_runs_nothing_at_start_up(tmp_path: Path) -> None:
    """The wheel holds no .pth file and nothing outside its packages."""
    import zipfile

    from conftest import _checkout, build_wheel

    names = zipfile.ZipFile(build_wheel(_checkout(tmp_path), tmp_path)).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "war_rig",
        "containers",
    }
    assert not any(name.endswith(".pth") for name in names)
    assert "war_rig/_config/war_rig.yaml" in names
    assert "war_rig/py.typed" in names
