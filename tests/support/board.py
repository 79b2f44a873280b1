"""Event files read back the way TensorBoard's own server reads them."""

import io
import json

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.context import RequestContext
from tensorboard.data.provider import RunTagFilter
from tensorboard.plugins import base_plugin
from tensorboard.plugins.custom_scalar import custom_scalars_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment
from tensorboard.plugins.hparams import list_session_groups as session_groups
from tensorboard.plugins.projector import projector_plugin

KINDS = ("scalars", "histograms", "images", "text")


class Board:
    """All runs below a log directory."""

    def __init__(self, folder):
        multiplexer = plugin_event_multiplexer.EventMultiplexer(
            tensor_size_guidance={kind: 0 for kind in KINDS}
        )
        multiplexer.AddRunsFromDirectory(str(folder)).Reload()
        self._provider = data_provider.MultiplexerDataProvider(multiplexer, str(folder))
        self._context = base_plugin.TBContext(logdir=str(folder), data_provider=self._provider)
        self.runs = multiplexer.Runs()

    def tags(self, run, kind):
        """The tags of one kind of data and their descriptions."""
        listing = {
            "scalars": self._provider.list_scalars,
            "images": self._provider.list_blob_sequences,
        }.get(kind, self._provider.list_tensors)
        found = listing(RequestContext(), experiment_id="", plugin_name=kind).get(run, {})
        return {tag: series.description for tag, series in found.items()}

    def scalars(self, run, tag):
        """A curve as a list of (step, value)."""
        found = self._read(self._provider.read_scalars, "scalars", run, tag)
        return [(point.step, point.value) for point in found]

    def tensor(self, run, tag, kind):
        """The only value of a histogram or a text."""
        (point,) = self._read(self._provider.read_tensors, kind, run, tag)
        return point.numpy

    def pixels(self, run, tag):
        """Returns the only picture of a tag, uint8, and checks its recorded size."""
        (point,) = self._read(self._provider.read_blob_sequences, "images", run, tag)
        width, height, png = [
            self._provider.read_blob(RequestContext(), blob_key=value.blob_key)
            for value in point.values
        ]
        pixels = np.asarray(Image.open(io.BytesIO(png)))
        assert pixels.shape[:2] == (int(height), int(width))
        return pixels

    def layout(self):
        """Headings and the charts below each: title and the tags of value, lower and upper."""
        plugin = custom_scalars_plugin.CustomScalarsPlugin(self._context)
        layout = json.loads(plugin.layout_impl(RequestContext(), ""))
        return {
            category["title"]: {
                chart["title"]: tuple(
                    chart["margin"]["series"][0][name] for name in ("value", "lower", "upper")
                )
                for chart in category["chart"]
            }
            for category in layout["category"]
        }

    def projector(self):
        """Returns the web applications of the projector by their routes."""
        return projector_plugin.ProjectorPlugin(self._context).get_plugin_apps()

    def groups(self):
        """Returns the groups of HParams: (hyperparameters, metrics, number of runs)."""
        request = api_pb2.ListSessionGroupsRequest(
            allowed_statuses=[api_pb2.STATUS_SUCCESS], start_index=0, slice_size=100
        )
        answer = self._hparams(session_groups.Handler, request)
        return {
            group.name: (
                {
                    name: getattr(value, value.WhichOneof("kind"))
                    for name, value in group.hparams.items()
                },
                {value.name.tag: value.value for value in group.metric_values},
                len(group.sessions),
            )
            for group in answer.session_groups
        }

    def experiment(self):
        """The columns of HParams."""
        return self._hparams(get_experiment.Handler, api_pb2.GetExperimentRequest())

    def _hparams(self, handler, request):
        context = backend_context.Context(self._context)
        return handler(RequestContext(), context, "", request).run()

    def _read(self, read, kind, run, tag):
        found = read(
            RequestContext(),
            experiment_id="",
            plugin_name=kind,
            downsample=1000,
            run_tag_filter=RunTagFilter([run], [tag]),
        )
        return found[run][tag]
