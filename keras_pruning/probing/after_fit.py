"""Calls a function after the last callback of a fit."""


def after_all_callbacks(model, function):
    """Calls `function()` when all callbacks of the fit of a model have ended.

    They may still change the weights, as `EarlyStopping` does. Keras appends its `History` behind
    the callbacks of the user. If it is not there, nothing is called.
    """
    history = getattr(model, "history", None)
    if history is None:
        return
    on_train_end = history.on_train_end

    def on_last_train_end(logs=None):
        on_train_end(logs)
        vars(history).pop("on_train_end", None)
        function()

    history.on_train_end = on_last_train_end
