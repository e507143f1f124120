"""The journeys of the proof, part by part."""

from __future__ import annotations

from tests.proof import functions, running, verbs
from tests.proof.account import ACCOUNT, UPSERT_FILES
from tests.proof.proving import Scenario, ScenarioStep
from tests.proof.renting import RENTING
from tests.proof.verbs import as_text, execution_at

_POLICY = ("policy",)
_DEPLOY, _AUTOSCALE = ("deploy",), ("autoscale",)

RUNNING = Scenario(
    "running",
    (
        ScenarioStep("the account is put up", running.set_up, roles=()),
        ScenarioStep("an execution", running.run_execution, roles=("pipeline", "job", "deploy", "await")),
        ScenarioStep(
            "stop: Processing",
            verbs.stopped,
            ("pipeline",),
            before=execution_at("PrepareData", InputDataUrl="s3://images/slow/"),
        ),
        ScenarioStep("stop: Tuning", verbs.stopped, ("pipeline",), before=execution_at("Tune", Epochs="1001")),
        ScenarioStep("stop: Training", verbs.stopped, ("pipeline",), before=execution_at("TrainBest", Epochs="1002")),
        ScenarioStep("configure_autoscaling: scale", functions.scaling, _AUTOSCALE, before=functions.unscaled),
        ScenarioStep("deploy_endpoint: another version", functions.deploy, _DEPLOY, before=functions.many_old_models),
        ScenarioStep("deploy_endpoint: other machines", functions.another_machine, _DEPLOY, before=functions.scaled),
        ScenarioStep("deploy_endpoint: no alarms", functions.without_alarms, _DEPLOY, before=functions.watched),
        ScenarioStep("deploy_endpoint: a model is loaded", functions.deploy, ("model",)),
        ScenarioStep("predict", verbs.predicting, ("predict", "operator"), _POLICY),
        ScenarioStep("start", as_text(verbs.starting), files=_POLICY),
        ScenarioStep("executions", as_text(verbs.listing), files=_POLICY),
        ScenarioStep("stop", as_text(verbs.stopping), files=_POLICY),
        ScenarioStep("status", as_text(verbs.status), files=_POLICY, before=verbs.failed),
        ScenarioStep("status of a failed search", as_text(verbs.status), files=_POLICY, before=verbs.failed_search),
        ScenarioStep("status of what is done", as_text(verbs.following), files=_POLICY),
        ScenarioStep("logs", as_text(verbs.logging), files=_POLICY),
        ScenarioStep("cost", as_text(verbs.costing), files=_POLICY),
        ScenarioStep("retry", as_text(verbs.retrying), files=_POLICY),
        ScenarioStep("endpoint-status", as_text(verbs.endpoint), files=_POLICY, before=functions.scaled),
        ScenarioStep("rollback", as_text(verbs.rolling_back), files=_POLICY, before=verbs.deployed_twice),
        ScenarioStep("rollback to what is not there", as_text(verbs.rollback_to_nothing), files=_POLICY),
        ScenarioStep("configure_autoscaling: a fixed number", functions.fixed, _AUTOSCALE, before=functions.scaled),
        ScenarioStep("approval", verbs.approved, ("deploy", "await"), before=verbs.another_version),
        ScenarioStep("approve", as_text(verbs.approving), files=_POLICY, before=verbs.another_version),
        ScenarioStep("schedule", as_text(verbs.scheduling), files=(*_POLICY, *UPSERT_FILES)),
        ScenarioStep("a schedule fires", verbs.schedule_fires, ("scheduler",)),
        ScenarioStep(
            "a schedule fires in vain", verbs.schedule_fires, ("scheduler",), before=verbs.schedule_of_wrong_parameters
        ),
        ScenarioStep("schedule: remove", verbs.unscheduling, files=(*_POLICY, *UPSERT_FILES)),
        ScenarioStep("await_endpoint: in vain", functions.wait_for_a_missing_endpoint, ("await",)),
        ScenarioStep("deploy_endpoint: after a failure", functions.deploy, _DEPLOY, before=functions.broken),
    ),
    running.SETTINGS,
)
SCENARIOS = (ACCOUNT, RUNNING, RENTING)
