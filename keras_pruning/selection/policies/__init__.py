"""Selection policies: one file each, and the registry below."""

from keras_pruning.arguments import from_registry
from keras_pruning.selection.auto import Auto
from keras_pruning.selection.policies.beta import Beta
from keras_pruning.selection.policies.deduplicate import Deduplicate
from keras_pruning.selection.policies.easiest import Easiest
from keras_pruning.selection.policies.facility_location import FacilityLocation
from keras_pruning.selection.policies.hardest import Hardest
from keras_pruning.selection.policies.herding import Herding
from keras_pruning.selection.policies.k_center import KCenter
from keras_pruning.selection.policies.message_passing import MessagePassing
from keras_pruning.selection.policies.middle import Middle
from keras_pruning.selection.policies.moderate import Moderate
from keras_pruning.selection.policies.random import Random
from keras_pruning.selection.policies.stratified import Stratified
from keras_pruning.selection.policy import Policy

POLICIES = {
    "hardest": Hardest,
    "easiest": Easiest,
    "middle": Middle,
    "stratified": Stratified,
    "beta": Beta,
    "message_passing": MessagePassing,
    "moderate": Moderate,
    "k_center": KCenter,
    "herding": Herding,
    "facility_location": FacilityLocation,
    "random": Random,
    "deduplicate": Deduplicate,
}
# Every comparison adds this policy and measures the others against it.
BASELINE = Random.name


def known():
    """Returns `POLICIES` and `auto`, which selects nothing itself and so is not among them."""
    return {**POLICIES, Auto.name: Auto}


def get(policy):
    """Returns a policy.

    Args:
        policy: a name among `POLICIES` or `"auto"`, a dictionary of a `name` and options, or a
            `Policy`.

    Raises:
        InputError: if there is no such policy or option.
    """
    if isinstance(policy, dict) and isinstance(policy.get("then"), str | dict):
        # Resolved here, because a policy cannot import the registry that it is in.
        policy = {**policy, "then": get(policy["then"])}
    return from_registry("policy", policy, known(), Policy)
