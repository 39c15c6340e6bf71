"""The sandbox host: what a request makes of it, as one pure function.

Laws: no clock, no I/O; a command that hosts take no notice of never becomes a
request (`taken`); the policies of the chain are stored before the command is
looked at, and stay when it fails.
"""

from collections.abc import Iterable, Mapping

from attrs import evolve

from albatross_client.commands import (
    BlockDump,
    BlockSet,
    Command,
    ConsoleListInactive,
    ConsoleSubscribe,
    PolicyInfo,
    StatsSubscribe,
    UnikernelCreate,
    UnikernelForceCreate,
)
from albatross_client.names import ROOT, Name
from albatross_client.replies import (
    BlockChunk,
    BlockImage,
    Failure,
    Header,
    Payload,
    Policies,
    Success,
    Wire,
)
from albatross_client.sandbox.blocks import dumped, handle_block
from albatross_client.sandbox.limits import insert_policies
from albatross_client.sandbox.state import (
    BlockCommand,
    Close,
    Effect,
    Host,
    Request,
    Send,
    Start,
    Step,
    TakenCommand,
    UnikernelCommand,
    below,
    relative,
)
from albatross_client.sandbox.subscriptions import (
    follow,
    inactive_consoles,
    listen,
    open_console,
    write_line,
)
from albatross_client.sandbox.unikernels import handle_unikernel, has_exited
from albatross_client.values import ResourcePolicy, Timestamp

# Length of the pieces of a block device that is dumped.
CHUNK_BYTES = 64 * 1024

# albatross_tls_endpoint.ml:handle - what goes to the daemon, policies first.
_DaemonCommand = UnikernelCommand | BlockCommand | PolicyInfo


def new_host(
    root_policy: ResourcePolicy, policies: Mapping[Name, ResourcePolicy]
) -> Host:
    """Return a host that runs nothing and has *policies* stored.

    Raises:
        ValueError: The policies don't fit each other.
    """
    host = Host(policies={ROOT: root_policy})
    for stored in policies.items():
        host, refusal = insert_policies(host, [stored])
        if refusal is not None:
            raise ValueError(refusal.text)
    return host


def taken(command: Command) -> TakenCommand | None:
    """Return *command* if hosts take it from a certificate.

    They end the connection without a word at any other one: what services
    say among themselves, what only an intermediate may carry, the unknown.
    """
    # See vmm_tls.ml:handle.
    return command if isinstance(command, TakenCommand) else None


def wants_upload(command: TakenCommand) -> bool:
    """Tell whether something is streamed before *command* is carried out."""
    match command:
        case UnikernelCreate(config) | UnikernelForceCreate(config):
            return not config.image
        case BlockSet():
            return True
        case _:
            return False


def handle(
    host: Host, request: Request, now: Timestamp
) -> tuple[Host, tuple[Effect, ...]]:
    """Return *host* after *request* at *now*, and what is to be done for it."""
    sequence = host.commands
    host = evolve(host, commands=sequence + 1)
    caller, name, command = request.caller, request.name, request.command
    match command:
        case StatsSubscribe():
            return listen(host, caller, name, sequence)
        case ConsoleSubscribe():
            return follow(host, caller, name, command, sequence)
        case ConsoleListInactive():
            return host, _answer(request, inactive_consoles(host, name))
        case _:
            return _with_policies(host, request, command, now)


def exited(
    host: Host, process: int, exit_code: int, now: Timestamp
) -> tuple[Host, tuple[Effect, ...]]:
    """Return *host* after *process* ended by itself with *exit_code*."""
    host, starts = has_exited(host, process, exit_code, now)
    host, greetings = _greet(host, starts, now)
    return host, (*starts, *greetings)


def _with_policies(
    host: Host, request: Request, command: _DaemonCommand, now: Timestamp
) -> tuple[Host, tuple[Effect, ...]]:
    host, refusal = insert_policies(host, request.policies)
    if refusal is not None:
        return host, _answer(request, Failure(refusal.text))
    host, effects, reply = _perform(host, request, command, now)
    host, greetings = _greet(host, effects, now)
    return host, (*effects, *greetings, *_replies(host, request, reply))


def _perform(
    host: Host, request: Request, command: _DaemonCommand, now: Timestamp
) -> Step:
    upload = request.upload or b""
    if isinstance(command, UnikernelCreate | UnikernelForceCreate):
        image = command.config.image or upload
        command = evolve(command, config=evolve(command.config, image=image))
    if isinstance(command, UnikernelCommand):
        return handle_unikernel(host, now, request.name, command)
    if isinstance(command, BlockCommand):
        return handle_block(host, request.name, command, upload)
    return host, (), _policies(host, request.name)


def _policies(host: Host, asked: Name) -> Policies:
    # vmm_vmmd.ml:handle_policy_cmd - the path alone counts; names are relative.
    return Policies(
        tuple(
            (relative(domain, asked), host.policies[domain])
            for domain in below(host.policies, asked)
        )
    )


def _replies(
    host: Host, request: Request, reply: Success | Failure
) -> tuple[Effect, ...]:
    if isinstance(reply, BlockImage) and isinstance(request.command, BlockDump):
        content = dumped(host.devices[request.name], request.command)
        pieces = [
            BlockChunk(content[start : start + CHUNK_BYTES])
            for start in range(0, len(content), CHUNK_BYTES)
        ]
        return _answer(request, reply, *pieces, BlockChunk(None))
    return _answer(request, reply)


def _answer(request: Request, *payloads: Payload) -> tuple[Effect, ...]:
    """Return how *request* is answered by *payloads*, then ended."""
    # albatross_tls_endpoint.ml:handle - single replies have sequence 0.
    header = Header(request.name)
    sends = [Send(request.caller, Wire(header, payload)) for payload in payloads]
    return (*sends, Close(request.caller))


def _greet(
    host: Host, effects: Iterable[Effect], now: Timestamp
) -> tuple[Host, tuple[Effect, ...]]:
    """Let each unikernel that starts say so on its console, as Solo5 does."""
    sends: tuple[Effect, ...] = ()
    for effect in effects:
        if isinstance(effect, Start):
            config = effect.unikernel.config
            text = f"Solo5: Memory map: {config.memory} MB addressable:"
            opened = open_console(host, effect.unikernel.name)
            host, lines = write_line(opened, effect.unikernel.name, text.encode(), now)
            sends = (*sends, *lines)
    return host, sends
