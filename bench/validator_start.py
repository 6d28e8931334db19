"""One cold start of the validator, timed from within: ``python -I -S bench/validator_start.py PACKAGE FILE``.

PACKAGE is the unpacked Lambda package, and nothing else can be imported but the standard library. The AWS client is
left out: an empty module stands for it, since AWS Lambda's runtime brings it and it costs every function the same.
Prints JSON: milliseconds to import, milliseconds to the first decision, resident bytes at most.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402 - the clock has to run first
import resource  # noqa: E402
import sys  # noqa: E402
import types  # noqa: E402
from pathlib import Path  # noqa: E402


def main() -> None:
    package, file = Path(sys.argv[1]), Path(sys.argv[2])
    sys.path.insert(0, str(package))
    sys.modules["boto3"] = types.ModuleType("boto3")
    from formats import Registry
    from runtime import file_validator
    from runtime.admission import admit
    from runtime.contract import parse_contract
    from runtime.source import LocalFile

    imported = time.perf_counter()
    contracts = json.loads((package / file_validator.CONTRACTS_FILE).read_bytes())
    admission = admit(LocalFile(file), parse_contract(contracts[0]), Registry())
    decided = time.perf_counter()
    assert admission.format.name == "csv"
    assert "pyarrow" not in sys.modules, "the validator imports pyarrow"
    print(
        json.dumps(
            {
                "import_ms": (imported - STARTED) * 1000,
                "decision_ms": (decided - imported) * 1000,
                "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
