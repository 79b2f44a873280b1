"""TensorBoard event files, written without TensorFlow."""

import io
import itertools
import time
from pathlib import Path

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalar
from tensorboard.plugins.histogram import metadata as histogram
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.image import metadata as image
from tensorboard.plugins.scalar import metadata as scalar
from tensorboard.plugins.text import metadata as text
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from keras_pruning.errors import InputError

# Default number of buckets of `tf.summary.histogram`.
BUCKETS = 30
# The three curves of an interval, in the order of a margin chart's value, lower and upper.
MEAN, LOWER, UPPER = "mean", "lower", "upper"


class EventFile:
    """A new event file in a folder. TensorBoard shows each folder as one run.

    It writes the same events as `tf.summary`. TensorBoard's own `EventFileWriter` imports
    TensorFlow as soon as it opens a file, which takes seconds. This class never does.

    Points of one tag have to come in ascending order of their steps. If a step falls, TensorBoard
    takes it for a restart and forgets the points from there on.

    Example:
        with EventFile("runs/digits/random/keep-0.50/seed-0") as events:
            events.scalar("test/accuracy", 0.97, step=1200)

    Args:
        folder: folder to write to, made if it is missing. Existing files are left alone.
    """

    def __init__(self, folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._records = RecordWriter(_new_file(Path(folder)))
        self._write(event_pb2.Event(file_version="brain.Event:2"))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Writes pending events and closes the file."""
        self._records.close()

    def flush(self):
        """Writes pending events, so that an open TensorBoard shows them."""
        self._records.flush()

    def scalar(self, tag, value, step, description=""):
        """Writes one point of a curve.

        Args:
            tag: name of the curve. The part before a slash groups curves.
            value: number, stored as float32.
            step: integer, the place on the horizontal axis.
            description: Markdown.
        """
        self._tensor(tag, np.float32(value), step, scalar, description)

    def interval(self, tag, mean, half_width, step, description=""):
        """Writes a mean and its interval: the scalars `tag/mean`, `tag/lower` and `tag/upper`.

        Args:
            tag: name of the three for `margin_charts`.
            mean: number.
            half_width: half the width of the interval. If it is `None`, all three are the mean.
            step: integer.
            description: Markdown.
        """
        half_width = half_width or 0.0
        for name, value in (
            (MEAN, mean),
            (LOWER, mean - half_width),
            (UPPER, mean + half_width),
        ):
            self.scalar(f"{tag}/{name}", value, step, description)

    def histogram(self, tag, values, step=0, description=""):
        """Writes a histogram of 30 buckets of equal width.

        Args:
            tag: name of the histogram.
            values: finite numbers of any shape.
            step: integer.
            description: Markdown.
        """
        # Float32 cannot tell the edges apart if large values lie close together.
        counts, edges = np.histogram(np.asarray(values, np.float64), BUCKETS)
        self.buckets(tag, edges, counts, step, description)

    def buckets(self, tag, edges, counts, step=0, description=""):
        """Writes a histogram that is counted already.

        Args:
            tag: name of the histogram.
            edges: ascending finite numbers `(buckets + 1,)`.
            counts: number of values in each bucket, `(buckets,)`.
            step: integer.
            description: Markdown.
        """
        buckets = np.stack([edges[:-1], edges[1:], counts], axis=1).astype(np.float64)
        self._tensor(tag, buckets, step, histogram, description)

    def image(self, tag, pixels, step=0, description=""):
        """Writes a picture, stored as PNG.

        Args:
            tag: name of the picture.
            pixels: uint8 `(height, width)` or `(height, width, 3)`.
            step: integer.
            description: Markdown.

        Raises:
            InputError: if `pixels` has another dtype or shape.
        """
        from PIL import Image

        pixels = np.asarray(pixels)
        if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
            raise InputError(
                "Invalid `pixels`. Expected uint8 of shape (height, width) or (height, width, 3). "
                f"Received: {pixels.dtype} of shape {pixels.shape}"
            )
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "png", optimize=True)
        height, width = pixels.shape[:2]
        parts = [str(width).encode(), str(height).encode(), file.getvalue()]
        self._tensor(tag, parts, step, image, description)

    def text(self, tag, markdown, step=0, description=""):
        """Writes a text in Markdown."""
        self._tensor(tag, markdown.encode(), step, text, description)

    def hparams(self, values, group, seconds=0.0):
        """Writes the hyperparameters of the run of this folder, which has just finished.

        Args:
            values: dictionary of booleans, numbers and strings.
            group: name of a group of runs. HParams shows the mean of their metrics on one line.
            seconds: duration of the run.
        """
        end = time.time()
        start = plugin_data_pb2.SessionStartInfo(group_name=group, start_time_secs=end - seconds)
        for name, value in values.items():
            setattr(start.hparams[name], _field(value), value)
        finish = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=end)
        self._hparams(hparams.SESSION_START_INFO_TAG, session_start_info=start)
        self._hparams(hparams.SESSION_END_INFO_TAG, session_end_info=finish)

    def hparams_experiment(self, domains, metrics):
        """Writes the columns and filters of HParams for the runs below the log directory.

        Args:
            domains: dictionary from the name of each hyperparameter to its values, all numbers or
                all strings.
            metrics: dictionary from the tag of each metric to the name to show.
        """
        infos = [_hparam_info(name, sorted(set(values))) for name, values in domains.items()]
        shown = [
            api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=name)
            for tag, name in metrics.items()
        ]
        experiment = api_pb2.Experiment(
            hparam_infos=infos, metric_infos=shown, time_created_secs=time.time()
        )
        self._hparams(hparams.EXPERIMENT_TAG, experiment=experiment)

    def margin_charts(self, charts):
        """Writes the layout of the page Custom Scalars: charts of means within their intervals.

        TensorBoard reads this layout from any folder below its log directory. It keeps the order
        of the headings and sorts the charts below a heading by title.

        Args:
            charts: dictionary from headings to dictionaries from the titles of charts to the `tag`
                of the `interval` calls that they show, of all runs.
        """
        layout = layout_pb2.Layout()
        for heading, tags in charts.items():
            category = layout.category.add(title=heading)
            for title, tag in tags.items():
                category.chart.add(title=title).margin.series.add(
                    value=f"{tag}/{MEAN}", lower=f"{tag}/{LOWER}", upper=f"{tag}/{UPPER}"
                )
        tensor = make_tensor_proto(layout.SerializeToString())
        metadata = custom_scalar.create_summary_metadata()
        self._summary(custom_scalar.CONFIG_SUMMARY_TAG, tensor, 0, metadata)

    def _hparams(self, tag, **content):
        data = plugin_data_pb2.HParamsPluginData(**content)
        self._summary(tag, hparams.NULL_TENSOR, 0, hparams.create_summary_metadata(data))

    def _tensor(self, tag, values, step, plugin, description):
        # Without a display name TensorBoard shows the tag.
        metadata = plugin.create_summary_metadata(display_name=None, description=description)
        self._summary(tag, make_tensor_proto(values), step, metadata)

    def _summary(self, tag, tensor, step, metadata):
        value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
        summary = summary_pb2.Summary(value=[value])
        self._write(event_pb2.Event(step=int(step), summary=summary))

    def _write(self, event):
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())


def _new_file(folder):
    """Opens a file under a free name. TensorBoard reads several in the order of their names."""
    for number in itertools.count():
        name = f"events.out.tfevents.{int(time.time()):010d}.{number:03d}"
        try:
            return (folder / name).open("xb")
        except FileExistsError:
            continue


def _hparam_info(name, values):
    is_number = _field(values[0]) == "number_value"
    info = api_pb2.HParamInfo(
        name=name,
        type=api_pb2.DATA_TYPE_FLOAT64 if is_number else api_pb2.DATA_TYPE_STRING,
        # TensorBoard shows a column by itself only if runs differ.
        differs=len(values) > 1,
    )
    info.domain_discrete.extend(values)
    return info


def _field(value):
    """Returns the name of the field of a protocol buffer's `Value` for `value`."""
    # A boolean is a number in Python, so it comes first.
    if isinstance(value, bool):
        return "bool_value"
    return "string_value" if isinstance(value, str) else "number_value"
