from ._network import Network
from .layers import Layer
from .subject import Subject
from .target import Channel, Class, Unit
from .zoo import network

__all__ = [
    "Channel",
    "Class",
    "Layer",
    "Network",
    "Subject",
    "Unit",
    "network",
]
