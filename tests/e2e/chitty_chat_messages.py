"""The messages of server/gateway/grpc/chitty_chat.proto, as Google's own library makes them: what a generated chitty_chat_pb2.py has, without the compiler that generates it."""

import re
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = Path(__file__).parents[2] / "server" / "gateway" / "grpc" / "chitty_chat.proto"
TYPES = {"string": 9, "int32": 5, "bool": 8}


def load():
    """Gives the message classes by name."""
    text = PROTO.read_text()
    proto = descriptor_pb2.FileDescriptorProto(name="chitty_chat.proto", package="chat", syntax="proto3")
    for name, body in re.findall(r"^message (\w+) \{([^}]*)\}", text, re.M):
        message = proto.message_type.add(name=name)
        for kind, field, number in re.findall(r"(\w+) (\w+) = (\d+);", body):
            made = message.field.add(name=field, number=int(number), label=1)
            if kind in TYPES:
                made.type = TYPES[kind]
            else:
                made.type, made.type_name = 11, ".chat." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    names = [message.name for message in proto.message_type]
    descriptors = {name: pool.FindMessageTypeByName("chat." + name) for name in names}
    if hasattr(message_factory, "GetMessageClass"):
        return {name: message_factory.GetMessageClass(found) for name, found in descriptors.items()}
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(found) for name, found in descriptors.items()}
