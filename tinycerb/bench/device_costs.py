"""What a victim costs on a device, where `tinycerb bench cost` has measured it."""

from typing import cast

from tinycerb.reports.metrics import DeviceCost
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import is_made, read_json


def device_costs(run: RunDirectory, name: str) -> DeviceCost | None:
    """Returns a victim's instructions, bytes and estimated cycles with their board, or None."""
    if not is_made(run.costs):
        return None
    costs = read_json(run.costs)
    victim = costs["victims"].get(name)
    return cast(DeviceCost, {"basis": "measured", "board": costs["board"], **victim["device"]}) if victim else None
