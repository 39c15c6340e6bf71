"""An example or two for every command of albatrossctl, by what it does."""

from collections.abc import Mapping

Examples = tuple[tuple[str, str], ...]

# The host is meant by `--config FILE`, or by options: one example shows these.
EXAMPLES: Mapping[str, Examples] = {
    "info": (
        ("albatrossctl info --config FILE", "all that this certificate may see"),
        ("albatrossctl info user:web --config FILE --host alpha --json", ""),
        (
            "albatrossctl info --address HOST:1025 --server-ca S --ca C --ca-key K",
            "without a configuration",
        ),
    ),
    "policy": (
        ("albatrossctl policy --config FILE", ""),
        ("albatrossctl policy user: --config FILE", "of one domain"),
    ),
    "image": (("albatrossctl image user:web --output web.hvt --config FILE", ""),),
    "check": (("albatrossctl check --config FILE", ""),),
    "stats": (
        ("albatrossctl stats --config FILE", "until Ctrl-C"),
        ("albatrossctl stats user:web --count 10 --config FILE --json", ""),
    ),
    "console": (
        ("albatrossctl console user:web --lines 100 --config FILE", "until Ctrl-C"),
    ),
    "create": (
        (
            "albatrossctl create user:web web.hvt --net service --config FILE",
            "",
        ),
    ),
    "restart": (
        ("albatrossctl restart user:web --config FILE", ""),
        (
            "albatrossctl restart user:web --replace --memory 128 --config FILE",
            "with these options from now on, and none of those before",
        ),
    ),
    "destroy": (("albatrossctl destroy user:web-clone-1 --config FILE", ""),),
    "block_list": (("albatrossctl block list user: --config FILE", ""),),
    "block_add": (("albatrossctl block add user:data 100 --config FILE", "of 100 MB"),),
    "block_remove": (("albatrossctl block remove user:data --config FILE", ""),),
    "block_set": (("albatrossctl block set user:data data.img --config FILE", ""),),
    "block_dump": (
        ("albatrossctl block dump user:data --output data.img --config FILE", ""),
    ),
}
