"""The journeys of the proof, part by part."""

from __future__ import annotations

from tests.proof import functions, running, verbs
from tests.proof.account import ACCOUNT, KEEPER
from tests.proof.proving import Journey, Part
from tests.proof.renting import RENTING
from tests.proof.verbs import lasting, told

_POLICY = ("policy",)
_DEPLOY, _AUTOSCALE = ("deploy",), ("autoscale",)

RUNNING = Journey(
    "running",
    (
        Part("the account is put up", running.put_up, roles=()),
        Part("an execution", running.execute, roles=("pipeline", "job", "deploy", "await")),
        Part(
            "stop: Processing",
            verbs.stopped,
            ("pipeline",),
            before=lasting("PrepareData", InputDataUrl="s3://images/slow/"),
        ),
        Part("stop: Tuning", verbs.stopped, ("pipeline",), before=lasting("Tune", Epochs="1001")),
        Part("stop: Training", verbs.stopped, ("pipeline",), before=lasting("TrainBest", Epochs="1002")),
        Part("configure_autoscaling: scale", functions.scaling, _AUTOSCALE, before=functions.unscaled),
        Part("deploy_endpoint: another version", functions.deploy, _DEPLOY, before=functions.old_ones),
        Part("deploy_endpoint: other machines", functions.another_machine, _DEPLOY, before=functions.scaled),
        Part("deploy_endpoint: no alarms", functions.without_alarms, _DEPLOY, before=functions.watched),
        Part("deploy_endpoint: a model is loaded", functions.deploy, ("model",)),
        Part("predict", verbs.predicting, ("predict", "operator"), _POLICY),
        Part("start", told(verbs.starting), files=_POLICY),
        Part("executions", told(verbs.listing), files=_POLICY),
        Part("stop", told(verbs.stopping), files=_POLICY),
        Part("status", told(verbs.status), files=_POLICY, before=verbs.failed),
        Part("status of a failed search", told(verbs.status), files=_POLICY, before=verbs.searched),
        Part("status of what is done", told(verbs.following), files=_POLICY),
        Part("cost", told(verbs.costing), files=_POLICY),
        Part("retry", told(verbs.retrying), files=_POLICY),
        Part("endpoint-status", told(verbs.endpoint), files=_POLICY, before=functions.scaled),
        Part("rollback", told(verbs.back), files=_POLICY, before=verbs.moved),
        Part("rollback to what is not there", told(verbs.lost), files=_POLICY),
        Part("configure_autoscaling: a fixed number", functions.fixed, _AUTOSCALE, before=functions.scaled),
        Part("approval", verbs.approved, ("deploy", "await"), before=verbs.another_version),
        Part("approve", told(verbs.approving), files=_POLICY, before=verbs.another_version),
        Part("schedule", told(verbs.scheduling), files=(*_POLICY, *KEEPER)),
        Part("a schedule fires", verbs.fired, ("scheduler",)),
        Part("a schedule fires in vain", verbs.fired, ("scheduler",), before=verbs.unreadable),
        Part("schedule: remove", verbs.unscheduling, files=(*_POLICY, *KEEPER)),
        Part("await_endpoint: in vain", functions.in_vain, ("await",)),
        Part("deploy_endpoint: after a failure", functions.deploy, _DEPLOY, before=functions.broken),
    ),
    running.VALUES,
)
JOURNEYS = (ACCOUNT, RUNNING, RENTING)
