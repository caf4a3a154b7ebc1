"""What an evaluation report says of predictions beside their targets: plain values, from tensors alone."""

from core.report.classes import of_classes
from core.report.labels import of_labels
from core.report.numbers import of_numbers
from core.report.reconstruction import Reconstructed
from core.report.tokens import Predicted

__all__ = ["Predicted", "Reconstructed", "of_classes", "of_labels", "of_numbers"]
