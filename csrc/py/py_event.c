#include "hook.h"

/* ---- methods ---- */

PyDoc_STRVAR(fire_doc,
             "fire($self, *, reverse=False, **kwargs)\n--\n\n"
             "Calls every listener with what it names of kwargs, in order of registration\n"
             "(reverse: the last first). A hook with recorders records the sample first.\n\n"
             "An Exception of a listener is logged and the others are called; StopUser,\n"
             "StopTest, RescheduleTask, RescheduleTaskImmediately and InterruptTaskSet are\n"
             "raised to the caller at once.");

static LC_CALLS_PYTHON int fire_values(struct lc_py_hook *self, const struct lc_fired *fired,
                                       bool reverse)
{
    if (self->recorders != NULL && lc_py_sample_record_fired(self, fired) < 0) {
        return -1;
    }
    return lc_py_dispatch_fire(self, fired, reverse);
}

/* Takes `reverse`, the value number `index`, out of what is fired: it is none for the listeners. */
static LC_CALLS_PYTHON int fire_reversible(struct lc_py_hook *self, const struct lc_fired *fired,
                                           Py_ssize_t index)
{
    int result = -1;
    PyObject *names = fired->names;
    Py_ssize_t after = PyTuple_GET_SIZE(names);
    int reverse = PyObject_IsTrue(fired->values[index]);
    PyObject *head = NULL, *tail = NULL, *kept_names = NULL, *kept_values = NULL;
    if (reverse < 0) {
        return -1;
    }
    head = PyTuple_GetSlice(names, 0, index);
    tail = PyTuple_GetSlice(names, index + 1, after);
    if (head == NULL || tail == NULL) {
        goto done;
    }
    kept_names = PySequence_Concat(head, tail);
    kept_values = PyTuple_New(after - 1);
    if (kept_names == NULL || kept_values == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < after - 1; i++) {
        PyTuple_SET_ITEM(kept_values, i, Py_NewRef(fired->values[i < index ? i : i + 1]));
    }
    struct lc_fired kept = {PySequence_Fast_ITEMS(kept_values), kept_names, 0, fired->request};
    result = fire_values(self, &kept, reverse != 0);
done:
    Py_XDECREF(head);
    Py_XDECREF(tail);
    Py_XDECREF(kept_names);
    Py_XDECREF(kept_values);
    return result;
}

LC_CALLS_PYTHON int lc_py_hook_fire(struct lc_py_hook *self, const struct lc_fired *fired)
{
    if (self->recorders == NULL && !lc_py_dispatch_wanted(self)) {
        return 0;
    }
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    if (state == NULL) {
        return -1;
    }
    Py_ssize_t reverse = lc_py_names_find(fired->names, state->str_reverse);
    return reverse < 0 ? fire_values(self, fired, false) : fire_reversible(self, fired, reverse);
}

static LC_CALLS_PYTHON PyObject *hook_fire(struct lc_py_hook *self, PyObject *const *args,
                                           Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs > 0) {
        PyErr_SetString(PyExc_TypeError, "fire() takes keyword arguments only");
        return NULL;
    }
    PyObject *names = kwnames ? Py_NewRef(kwnames) : PyTuple_New(0);
    if (names == NULL) {
        return NULL;
    }
    struct lc_fired fired = {args, names, 0, NULL};
    int result = lc_py_hook_fire(self, &fired);
    Py_DECREF(names);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(record_doc, "record($self, *, request_type, name, response_time, response_length,\n"
                         "       exception=None, **kwargs)\n\n"
                         "Records a sample into the hook's recorders and calls no listener.\n"
                         "response_time is in ms, or None.");

static PyObject *hook_record(struct lc_py_hook *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    if (nargs > 0 || kwnames == NULL) {
        PyErr_SetString(PyExc_TypeError, "record() takes keyword arguments only");
        return NULL;
    }
    struct lc_fired fired = {args, kwnames, 0, NULL};
    bool failed = self->recorders != NULL && lc_py_sample_record_fired(self, &fired) < 0;
    return failed ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(add_listener_doc,
             "add_listener($self, handler, /)\n--\n\n"
             "Adds a listener at the end and returns it, so that it works as a decorator.\n"
             "Its signature is read now, once. Raises TypeError if it is not callable.");

static PyObject *hook_add_listener(struct lc_py_hook *self, PyObject *handler)
{
    if (!PyCallable_Check(handler)) {
        PyErr_Format(PyExc_TypeError, "a listener must be callable, not %s",
                     Py_TYPE(handler)->tp_name);
        return NULL;
    }
    if (PyList_Append(self->handlers, handler) < 0 || lc_py_dispatch_refresh(self) < 0) {
        return NULL;
    }
    return Py_NewRef(handler);
}

PyDoc_STRVAR(remove_listener_doc,
             "remove_listener($self, handler, /)\n--\n\n"
             "Removes the first listener that equals handler. Raises ValueError if none does.");

static PyObject *hook_remove_listener(struct lc_py_hook *self, PyObject *handler)
{
    PyObject *handlers = Py_NewRef(self->handlers);
    PyObject *result = PyObject_CallMethod(handlers, "remove", "(O)", handler);
    Py_DECREF(handlers);
    if (result != NULL && lc_py_dispatch_refresh(self) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

PyDoc_STRVAR(add_recorder_doc,
             "add_recorder($self, table, /)\n--\n\n"
             "From now on each sample fired here is recorded into the StatsTable, before any\n"
             "listener is called.");

static PyObject *hook_add_recorder(struct lc_py_hook *self, PyObject *table)
{
    PyObject *recorders = PyTuple_Pack(1, table);
    if (recorders != NULL && self->recorders != NULL) {
        Py_SETREF(recorders, PySequence_Concat(self->recorders, recorders));
    }
    if (recorders == NULL) {
        return NULL;
    }
    Py_XSETREF(self->recorders, recorders);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(remove_recorder_doc, "remove_recorder($self, table, /)\n--\n\n"
                                  "Raises ValueError if the table is no recorder of the hook.");

static PyObject *hook_remove_recorder(struct lc_py_hook *self, PyObject *table)
{
    PyObject *recorders = PyList_New(0);
    PyObject *result = NULL;
    if (recorders == NULL ||
        (self->recorders && PyList_SetSlice(recorders, 0, 0, self->recorders) < 0)) {
        goto done;
    }
    result = PyObject_CallMethod(recorders, "remove", "(O)", table);
    if (result == NULL) {
        goto done;
    }
    PyObject *left = PyList_GET_SIZE(recorders) > 0 ? PyList_AsTuple(recorders) : NULL;
    if (left == NULL && PyErr_Occurred()) {
        Py_CLEAR(result);
        goto done;
    }
    Py_XSETREF(self->recorders, left);
done:
    Py_XDECREF(recorders);
    return result;
}

static PyObject *hook_iadd(PyObject *self, PyObject *handler)
{
    PyObject *result = PyObject_CallMethod(self, "add_listener", "(O)", handler);
    Py_XDECREF(result);
    return result == NULL ? NULL : Py_NewRef(self);
}

static PyObject *hook_isub(PyObject *self, PyObject *handler)
{
    PyObject *result = PyObject_CallMethod(self, "remove_listener", "(O)", handler);
    Py_XDECREF(result);
    return result == NULL ? NULL : Py_NewRef(self);
}

/* ---- what the Python class on top replaces ---- */

PyDoc_STRVAR(bind_doc, "_bind($self, handler, /)\n--\n\n"
                       "The Listener of a handler; here: one that gets everything by name.");

static PyObject *hook_bind(struct lc_py_hook *self, PyObject *handler)
{
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    return state ? PyObject_CallOneArg((PyObject *)state->listener_type, handler) : NULL;
}

PyDoc_STRVAR(listener_failed_doc,
             "_listener_failed($self, exception, /)\n--\n\n"
             "Deals with the Exception of a listener. True: it goes to the caller of fire;\n"
             "here: always.");

static PyObject *hook_listener_failed(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(exception))
{
    Py_RETURN_TRUE;
}

PyDoc_STRVAR(coroutine_returned_doc,
             "_coroutine_returned($self, handler, coroutine, /)\n--\n\n"
             "Told that a listener is a coroutine function, whose body nobody runs.");

static PyObject *hook_coroutine_returned(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    Py_RETURN_NONE;
}

static PyMethodDef hook_methods[] = {
    {"fire", (PyCFunction)(void (*)(void))hook_fire, METH_FASTCALL | METH_KEYWORDS, fire_doc},
    {"record", (PyCFunction)(void (*)(void))hook_record, METH_FASTCALL | METH_KEYWORDS, record_doc},
    {"add_listener", (PyCFunction)hook_add_listener, METH_O, add_listener_doc},
    {"remove_listener", (PyCFunction)hook_remove_listener, METH_O, remove_listener_doc},
    {"add_recorder", (PyCFunction)hook_add_recorder, METH_O, add_recorder_doc},
    {"remove_recorder", (PyCFunction)hook_remove_recorder, METH_O, remove_recorder_doc},
    {"_bind", (PyCFunction)hook_bind, METH_O, bind_doc},
    {"_listener_failed", hook_listener_failed, METH_O, listener_failed_doc},
    {"_coroutine_returned", hook_coroutine_returned, METH_VARARGS, coroutine_returned_doc},
    {NULL, NULL, 0, NULL},
};

/* ---- attributes ---- */

static PyObject *get_handlers(struct lc_py_hook *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->handlers);
}

static int set_handlers(struct lc_py_hook *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL || !PyList_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "_handlers must be a list of listeners");
        return -1;
    }
    Py_SETREF(self->handlers, Py_NewRef(value));
    return lc_py_dispatch_refresh(self);
}

static PyObject *get_companions(struct lc_py_hook *self, void *Py_UNUSED(closure))
{
    return self->companions ? Py_NewRef(self->companions) : PyTuple_New(0);
}

static int set_companions(struct lc_py_hook *self, PyObject *value, void *Py_UNUSED(closure))
{
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    bool fits = state != NULL && value != NULL && PyTuple_CheckExact(value);
    for (Py_ssize_t i = 0; fits && i < PyTuple_GET_SIZE(value); i++) {
        fits = PyObject_TypeCheck(PyTuple_GET_ITEM(value, i), state->event_hook_type);
    }
    if (!fits) {
        PyErr_SetString(PyExc_TypeError, "_companions must be a tuple of EventHook");
        return -1;
    }
    Py_XSETREF(self->companions, Py_NewRef(value));
    return 0;
}

static PyObject *get_condition(struct lc_py_hook *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->condition ? self->condition : Py_None);
}

static int set_condition(struct lc_py_hook *self, PyObject *value, void *Py_UNUSED(closure))
{
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    if (state == NULL || value == NULL ||
        (value != Py_None && !Py_IS_TYPE(value, state->listener_type))) {
        PyErr_SetString(PyExc_TypeError, "_condition must be a Listener or None");
        return -1;
    }
    Py_XSETREF(self->condition, value == Py_None ? NULL : Py_NewRef(value));
    return 0;
}

static PyGetSetDef hook_getset[] = {
    {"_handlers", (getter)get_handlers, (setter)set_handlers,
     "The list of listeners itself: what a program changes in it counts from the next firing.",
     NULL},
    {"_companions", (getter)get_companions, (setter)set_companions,
     "Hooks whose listeners are called after those of this one, with the same values.", NULL},
    {"_condition", (getter)get_condition, (setter)set_condition,
     "The Listener that says whether the hook is fired as a companion; None: always.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* 1 if the class has a `fire` of its own, 0 if it is ours, -1 with an exception. */
static int class_replaces_fire(PyTypeObject *type, struct lc_state *state)
{
    PyObject *fire = PyObject_GetAttr((PyObject *)type, state->str_fire);
    PyObject *ours = PyObject_GetAttr((PyObject *)state->event_hook_type, state->str_fire);
    int result = fire == NULL || ours == NULL ? -1 : fire != ours;
    Py_XDECREF(fire);
    Py_XDECREF(ours);
    return result;
}

/* Programs and tests put their own `fire` on a hook; the engine has to notice. */
static int hook_setattro(PyObject *object, PyObject *name, PyObject *value)
{
    if (PyObject_GenericSetAttr(object, name, value) < 0) {
        return -1;
    }
    struct lc_state *state = lc_state_of_type(Py_TYPE(object));
    if (state == NULL) {
        return -1;
    }
    if (PyUnicode_Compare(name, state->str_fire) == 0) {
        int replaced = value ? 1 : class_replaces_fire(Py_TYPE(object), state);
        if (replaced < 0) {
            return -1;
        }
        ((struct lc_py_hook *)object)->fire_replaced = replaced != 0;
    }
    return 0;
}

static PyObject *hook_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct lc_state *state = lc_state_of_type(type);
    if (state == NULL) {
        return NULL;
    }
    bool has_arguments = PyTuple_GET_SIZE(args) > 0 || (kwargs && PyDict_GET_SIZE(kwargs) > 0);
    bool has_init =
        PyType_GetSlot(type, Py_tp_init) != PyType_GetSlot(&PyBaseObject_Type, Py_tp_init);
    if (has_arguments && !has_init) {
        PyErr_SetString(PyExc_TypeError, "EventHook() takes no arguments");
        return NULL;
    }
    int fire_replaced = class_replaces_fire(type, state);
    if (fire_replaced < 0) {
        return NULL;
    }
    struct lc_py_hook *self = (struct lc_py_hook *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->fire_replaced = fire_replaced != 0;
    self->handlers = PyList_New(0);
    if (self->handlers == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int hook_traverse(struct lc_py_hook *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->handlers);
    Py_VISIT(self->plan);
    Py_VISIT(self->recorders);
    Py_VISIT(self->companions);
    Py_VISIT(self->condition);
    return 0;
}

/* The list stays, for the methods count on it; it breaks its own cycles. */
static int hook_clear(struct lc_py_hook *self)
{
    Py_CLEAR(self->plan);
    Py_CLEAR(self->recorders);
    Py_CLEAR(self->companions);
    Py_CLEAR(self->condition);
    return 0;
}

static void hook_dealloc(struct lc_py_hook *self)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    hook_clear(self);
    Py_XDECREF(self->handlers);
    tp->tp_free(self);
    Py_DECREF(tp);
}

PyDoc_STRVAR(hook_doc,
             "EventHook()\n--\n\n"
             "The listeners of one event: add_listener (or +=), remove_listener (or -=), fire.");

static PyType_Slot hook_slots[] = {
    {Py_tp_doc, (void *)hook_doc},
    {Py_tp_new, hook_new},
    {Py_tp_traverse, hook_traverse},
    {Py_tp_clear, hook_clear},
    {Py_tp_dealloc, hook_dealloc},
    {Py_tp_methods, hook_methods},
    {Py_tp_getset, hook_getset},
    {Py_tp_setattro, hook_setattro},
    {Py_nb_inplace_add, hook_iadd},
    {Py_nb_inplace_subtract, hook_isub},
    {0, NULL},
};

PyType_Spec lc_py_event_spec = {
    .name = "locust_c._core.EventHook",
    .basicsize = sizeof(struct lc_py_hook),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = hook_slots,
};
