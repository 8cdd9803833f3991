"""How many calls data-free attacks were published with: whoever gives them fewer says what share that is.

A table of its own: in the attacks' files it would count as their code, which names results.
"""

from collections.abc import Mapping, Sequence

from tinycerb.config import AttackConfig

# By attack, then by data set; "" for CIFAR-10 and all others, to whose images it was the nearest that was published.
# DisGUIDE: Rosenthal et al., AAAI 2023. DFME: Truong et al., CVPR 2021, who gave MAZE as many on CIFAR-10; MAZE's own
# for Fashion-MNIST: Kariyappa et al., CVPR 2021.
_PUBLISHED: Mapping[str, Mapping[str, int]] = {
    "disguide": {"": 20_000_000},
    "dfme": {"": 20_000_000, "svhn": 2_000_000},
    "maze": {"": 20_000_000, "fashion_mnist": 5_000_000},
}


def published_calls(attack: str, dataset: str) -> int | None:
    """Returns the calls that an attack was published with on a data set or one like it; None where they are few."""
    budgets = _PUBLISHED.get(attack)
    return None if budgets is None else budgets.get(dataset, budgets[""])


def scaled_down(attacks: Sequence[AttackConfig], dataset: str) -> list[str]:
    """Returns a sentence for every attack that may ask less than it was published with.

    Args:
        attacks: those of a configuration, with the budgets that are compared.
        dataset: the registered name of the victim's data.
    """
    said = []
    for attack in attacks:
        published = published_calls(attack.attack, dataset)
        if published is not None and attack.budget < published:
            share = 100 * attack.budget / published
            said.append(
                f"{attack.name} is scaled down: {attack.budget:,} of the {published:,} calls that {attack.attack} was "
                f"published with ({share:.2g} %)."
            )
    return said
