from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.events.bus import MEASUREMENTS, Topic, events_topic
from libs.events.kafka import _config
from services.cli.wiring import OWNERS

ROOT = Path(__file__).parents[3]
TOPICS = {topic.name: topic for topic in (*map(events_topic, OWNERS), MEASUREMENTS)}


@pytest.fixture
def listed() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "deploy" / "topics.yaml").read_text(encoding="utf-8"))
    return {topic["name"]: topic for topic in document["topics"]}


def test_every_topic_is_listed(listed: dict[str, Any]) -> None:
    assert listed.keys() == TOPICS.keys()


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_a_topic_is_listed_as_the_code_makes_it(listed: dict[str, Any], topic: Topic) -> None:
    assert listed[topic.name]["partitions"] == topic.partitions
    assert listed[topic.name]["replicas"] == 3
    assert listed[topic.name]["config"] == _config(topic, 2)
