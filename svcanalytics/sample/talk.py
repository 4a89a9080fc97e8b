"""A sample of chats, utterance by utterance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.contacts import QUEUES
from svcanalytics.sample.customers import Pool
from svcanalytics.sample.identifiers import identifiers
from svcanalytics.sample.people import People
from svcanalytics.sample.phrases import BANTER, COMMENTS, TAILS, TOPICS
from svcanalytics.sample.structure import CATEGORIES
from svcanalytics.sample.world import World

__all__ = ["messages_table"]

_CHATS = 1_800


def messages_table(
    world: World,
    people: People,
    pool: Pool,
    contacts: pd.DataFrame,
    ids_of_cases: np.ndarray,
    ids_of_contacts: np.ndarray,
) -> pd.DataFrame:
    """Return the utterances of some chats that a person took over from the bot."""
    rng = world.rng("messages")
    chats = np.flatnonzero((contacts["queue"] == QUEUES.index("chat")) & (contacts["human"] >= 0))
    picked = np.sort(rng.choice(chats, min(_CHATS, len(chats)), replace=False))
    rows = contacts.iloc[picked]
    english = pool.english[rows["customer"]]
    number = identifiers(rng, 500)
    out = []
    for place, (contact, case, person, category, offered, queued, human, ended, happy, lang) in enumerate(
        zip(
            picked.tolist(), rows["case"], rows["person"], rows["category"], rows["offered"], rows["queued"],
            rows["human"], rows["ended"], rows["resolved"], english.tolist(), strict=True,
        )
    ):  # fmt: skip
        lang = int(lang)
        topics, tails = TOPICS[lang][tuple(CATEGORIES)[category]], TAILS[lang]
        tail = tails[1 + place % (len(tails) - 1)].format(**{k: v[place % 500] for k, v in number.items()})
        end = COMMENTS[0 if happy else 2][place % 4][lang]
        filled = {"topic": topics[place % 3], "tail": tail.strip(), "end": end}
        talk = max(ended - human, 4)
        times = (
            offered + 2, offered + (queued - offered) // 3, offered + (queued - offered) // 2, queued, human,
            human + talk // 4, human + talk // 2, human + talk - 1,
        )  # fmt: skip
        for (speaker, words), at in zip(BANTER[lang], times, strict=True):
            out.append((case, contact, at, speaker, person if speaker == "agent" else -1, words.format(**filled)))
    case, contact, at, speaker, person, text = (list(column) for column in zip(*out, strict=True))
    return pd.DataFrame(
        {
            "message_id": [f"G{i:06d}" for i in range(1, len(out) + 1)],
            "case_id": ids_of_cases[np.array(case)],
            "contact_id": ids_of_contacts[np.array(contact)],
            "at": world.stamps(np.array(at)),
            "speaker": np.array(speaker, dtype=object),
            "agent": np.append(people.codes, None)[np.array(person)],
            "text": np.array(text, dtype=object),
        }
    )
