"""The frame of a static picture: its size, the room of its axes, and the template that fills it."""

from dataclasses import dataclass

from markupsafe import Markup

from keras_pruning.reports.html.axes import axis
from keras_pruning.reports.html.page import environment


@dataclass(frozen=True)
class Frame:
    """The frame of a static picture, in pixels.

    Args:
        height: height of the picture.
        left: room on the left, for the labels of the vertical axis.
        inset: room between the frame and the first and last places of the horizontal axis.
        width, right, top, bottom: its width and the room on the other sides.
    """

    height: int
    left: int = 52
    inset: int = 0
    width: int = 720
    right: int = 12
    top: int = 12
    bottom: int = 44

    def across(self, title, numbers, log=False, ticks=None):
        """Returns the horizontal `Axis`. Arguments are those of `axis`."""
        start, end = self.left + self.inset, self.width - self.right - self.inset
        return axis(title, numbers, start, end, log, ticks)

    def upwards(self, title, numbers, log=False):
        """Returns the vertical `Axis`. Arguments are those of `axis`."""
        return axis(title, numbers, self.height - self.bottom, self.top, log)

    def fill(self, template, x, y, **content):
        """Returns a picture, the markup of its SVG.

        Args:
            template: name of the template.
            x, y: the two axes.
            **content: further variables of the template.
        """
        text = (
            environment()
            .get_template(template)
            .render(
                x=x,
                y=y,
                width=self.width,
                height=self.height,
                left=self.left,
                right=self.width - self.right,
                bottom=self.height - self.bottom,
                **content,
            )
        )
        return Markup(text)
