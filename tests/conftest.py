"""How hypothesis draws: the same examples at every run, so that a failure is the change's; `explore` looks further.

HYPOTHESIS_PROFILE=explore make test-definition ARGS="-k any"
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=set(Phase) - {Phase.explain})
settings.register_profile("default", _UNHURRIED, derandomize=True, max_examples=60)
settings.register_profile("explore", _UNHURRIED, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
