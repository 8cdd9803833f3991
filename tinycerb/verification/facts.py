"""A verification as one JSON object: for `--json`, the page and the words on the screen."""

from tinycerb.ownership.commitment import tensors_digest
from tinycerb.ownership.owner import Owner
from tinycerb.ownership.questions import Questions
from tinycerb.reports.metrics import VerificationFacts
from tinycerb.verification.owned_model import OwnedModel
from tinycerb.verification.suspects import Suspect
from tinycerb.verification.suspects.serial_device import SerialDevice
from tinycerb.verification.suspects.tflite_file import TfliteFile
from tinycerb.verification.trial import Population
from tinycerb.verification.verdict import Verdict


def verification_facts(
    verdict: Verdict,
    suspect: Suspect,
    model: OwnedModel,
    owner: Owner,
    questions: Questions,
    population: Population,
    commitment: str,
) -> VerificationFacts:
    """Returns what was found, and what it was found from; the key is no part of it."""
    secret = verdict.secret
    return {
        "schema_version": 1,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "suspect": suspect.told,
        "is_copy": _is_copy(suspect, model),
        "model": str(model.path),
        "model_tensors_sha256": model.tensors,
        "owner_key_sha256": owner.digest,
        "commitment": commitment,
        "batch": questions.batch,
        "level": verdict.level,
        "p": verdict.p,
        "p_by_secret": verdict.p_secret,
        "p_by_population": verdict.p_population,
        "population_by": verdict.population_by,
        "looks": verdict.looks,
        "asked": verdict.asked,
        "agreed": verdict.agreed,
        "refused": verdict.refused,
        "strict_after": verdict.strict_after,
        "null": population.told,
        "null_measured": population.measured,
        "secret": None
        if secret is None
        else {
            "teachers": secret.teachers,
            "explained_share": secret.explained,
            "others_explained_share": secret.others,
            "least_p": secret.bound * verdict.looks,
        },
        "families": {
            name: {"asked": of.asked, "agreed": of.agreed, "p0": of.p0} for name, of in verdict.families.items()
        },
    }


def _is_copy(suspect: Suspect, model: OwnedModel) -> bool:
    """Whether it is the model itself, which a thief need not have asked for."""
    if isinstance(suspect, SerialDevice):
        return suspect.hash == model.artifact.sha256
    return isinstance(suspect, TfliteFile) and tensors_digest(suspect.file) == model.tensors
