"""How to reproduce scores, as the last section of a page."""

import json

from keras_pruning.reports.html.page import Section


def score_recipe_section(table, command=None, config=None, id="recipe"):
    """Returns the section of a page with everything that a score table depends on.

    Args:
        table: `ScoreTable`.
        command: arguments of the command line that make the result again, except for the config
            and the output, or `None`.
        config: nested dictionaries of the config, or `None`.
        id: anchor of the section, unique on the page.
    """
    # Commands without a page do without YAML.
    import yaml

    recorded = table.metadata.get("recipe") or table.metadata
    context = {
        "command": command and f"keras-pruning {command} --config report.yaml --output NEW_FOLDER",
        "config": config and yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        "recipe": json.dumps(recorded, indent=2, ensure_ascii=False, default=str),
    }
    return Section("How to reproduce it", "score_recipe.html.j2", context, id)
