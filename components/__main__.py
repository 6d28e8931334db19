"""Hosts the components for the Pulumi CLI: `pulumi package add <this folder>`."""

import sys
from pathlib import Path


def main() -> None:
    # The CLI runs the folder, so Python looks for modules here and not in the repository that they name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from pulumi.provider.experimental import component_provider_host

    from components.naming import PACKAGE
    from components.package import COMPONENTS

    component_provider_host(COMPONENTS, PACKAGE)


if __name__ == "__main__":
    main()
