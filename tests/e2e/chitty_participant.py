"""A Chitty-Chat participant on Google's own gRPC and Protocol Buffers, as clients that exist are: joins, publishes and leaves on commands from standard input, one JSON object a
line, and prints what happens, one JSON object a line. Arguments: HOST:PORT of the server, and the :authority to use."""

import json
import sys
import threading
from concurrent import futures

import grpc

from chitty_chat_messages import load

CHAT = load()
MUTEX = threading.Lock()


def tell(**event):
    with MUTEX:
        print(json.dumps(event), flush=True)


class Participant:
    def __init__(self, server, authority):
        self.time = 0
        self.mutex = threading.Lock()
        self.service = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        handler = grpc.unary_unary_rpc_method_handler(
            self.broadcast,
            request_deserializer=CHAT["BroadCastRequest"].FromString,
            response_serializer=CHAT["BroadCastReply"].SerializeToString,
        )
        self.service.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("chat.ChittyChatServiceOUT", {"BroadCast": handler}),)
        )
        self.id = str(self.service.add_insecure_port("127.0.0.1:0"))
        self.service.start()
        channel = grpc.insecure_channel(server, options=[("grpc.default_authority", authority)] if authority else [])
        self.stubs = {
            name: channel.unary_unary(
                "/chat.ChittyChatServiceIN/" + name,
                request_serializer=CHAT[request].SerializeToString,
                response_deserializer=CHAT[reply].FromString,
            )
            for name, request, reply in [
                ("Join", "JoinRequest", "JoinReply"),
                ("Publish", "Message", "PublishMessageReply"),
                ("Leave", "LeaveRequest", "LeaveReply"),
            ]
        }

    def tick(self, received=0):
        with self.mutex:
            self.time = max(self.time, received) + 1
            return self.time

    def broadcast(self, request, _context):
        self.tick(request.lamportTime)
        self.tick()
        said = request.message
        tell(
            event="broadcast",
            by=request.participantID,
            message=said.message,
            lamport=request.lamportTime,
            own=said.lamportTime,
            kind="publish" if said.isPublish else "join" if said.isJoin else "leave" if said.isLeave else "",
        )
        return CHAT["BroadCastReply"](
            participantID=self.id, reply="BroadCast message reply", lamportTime=self.tick()
        )

    def call(self, name, request):
        try:
            reply = self.stubs[name](request, timeout=10)
            self.tick(reply.lamportTime)
            tell(event=name, reply=reply.reply, lamport=reply.lamportTime, own=self.time)
        except grpc.RpcError as error:
            tell(event=name, error=error.code().name, details=error.details())

    def do(self, command):
        participant = command.get("id", self.id)
        if command["do"] == "publish":
            flags = {name: command.get(name, False) for name in ("isPublish", "isJoin", "isLeave")}
            message = CHAT["Message"](
                message=command["message"], lamportTime=self.tick(), participantID=participant, **flags
            )
            self.call("Publish", message)
        else:
            name = command["do"].capitalize()
            self.call(name, CHAT[name + "Request"](participantID=participant, lamportTime=self.tick()))


def main():
    participant = Participant(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    tell(event="listening", id=participant.id)
    for line in sys.stdin:
        participant.do(json.loads(line))
    participant.service.stop(0)


main()
