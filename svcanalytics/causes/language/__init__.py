"""What is said: how a customer feels, and how an agent speaks."""

from __future__ import annotations

from svcanalytics.causes.language.feeling import sentiment
from svcanalytics.causes.language.speaking import ASPECTS, conduct, conversations
from svcanalytics.causes.language.training import SentimentModel, train_sentiment

__all__ = ["ASPECTS", "SentimentModel", "conduct", "conversations", "sentiment", "train_sentiment"]
