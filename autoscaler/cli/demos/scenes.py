"""What visitors do in the demo, scene by scene, and what the group should.

A scene lasts until the group has the size that it is about: machines that are
busy may take their time.
"""

from attrs import frozen

from albatross_client.sandbox.visitors.crowd import NO_LOAD, Load


@frozen(kw_only=True)
class Scene:
    """A load, and what should come of it.

    Attributes:
        who: Asks.
        title: What they do.
        load: Likewise, as numbers.
        size: So many members the group should have then.
        then_s: How long that is looked at.
    """

    who: str
    title: str
    load: Load
    size: int
    then_s: float


SCENES = (
    Scene(who="nobody", title="nobody asks", load=NO_LOAD, size=0, then_s=3.0),
    Scene(
        who="12 visitors at once",
        title="12 visitors come, and ask again and again",
        load=Load(visitors=12),
        size=4,
        then_s=10.0,
    ),
    Scene(
        who="10 requests a second",
        title="they leave; 10 requests a second are left",
        load=Load(rate=10.0),
        size=1,
        then_s=2.0,
    ),
    Scene(who="nobody", title="nobody asks any more", load=NO_LOAD, size=0, then_s=3.0),
    Scene(
        who="1 visitor",
        title="1 visitor comes back, and asks again and again",
        load=Load(visitors=1),
        size=1,
        then_s=5.0,
    ),
)
WANTED = (0, 4, 0, 1)
