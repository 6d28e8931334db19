"""The policy pack's process: `pulumi preview --policy-pack policies` starts it."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

# A pack is started in its own folder, from which the package it is a part of isn't found.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policies.controls import CONTROLS

PolicyPack("retail-pipeline", list(CONTROLS), EnforcementLevel.MANDATORY)
