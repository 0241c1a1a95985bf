#include "listener.h"

/* Most calls have fewer arguments than this and need no memory for them. */
enum { SMALL_CALL = 16 };

struct lc_py_listener {
    PyObject_HEAD
    PyObject *handler;
    PyObject *bindings; /* tuple of (keyword or None, sources, factory or None), see the doc */
    PyObject *own;      /* tuple of names of parameters, which the rest must not repeat */
    PyObject *extras;   /* tuple of (name, source): further names of the values in the rest */
    bool rest;
    /* The route for the names of the last firing; `names` NULL: none yet. It is replaced, never
     * changed: a factory may switch greenlets, and the hook may be fired meanwhile. */
    PyObject *names;
    PyObject *keywords; /* names of the arguments that are passed by name; NULL: as fired */
    PyObject *steps;    /* per argument: the int index of its value, or the factory that makes it */
};

Py_ssize_t lc_py_names_find(PyObject *names, PyObject *name)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyTuple_GET_ITEM(names, i) == name) {
            return i;
        }
    }
    /* Names that a program put together at run time are not interned. */
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyUnicode_Compare(PyTuple_GET_ITEM(names, i), name) == 0) {
            return i;
        }
    }
    return -1;
}

PyObject *lc_py_listener_handler(PyObject *listener)
{
    return ((struct lc_py_listener *)listener)->handler;
}

/* The first of `sources` that was fired; -1 if none was. */
static Py_ssize_t find_source(PyObject *names, PyObject *sources)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sources); i++) {
        Py_ssize_t index = lc_py_names_find(names, PyTuple_GET_ITEM(sources, i));
        if (index >= 0) {
            return index;
        }
    }
    return -1;
}

static int append_index(PyObject *steps, Py_ssize_t index)
{
    PyObject *number = PyLong_FromSsize_t(index);
    if (number == NULL) {
        return -1;
    }
    int result = PyList_Append(steps, number);
    Py_DECREF(number);
    return result;
}

/* Routes the bindings: what a listener names. What was not fired and has no factory is left out, so
 * that the parameter's own default or Python's own TypeError shows. */
static int route_bindings(struct lc_py_listener *self, PyObject *names, PyObject *steps,
                          PyObject *keywords)
{
    bool gap = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->bindings); i++) {
        PyObject *binding = PyTuple_GET_ITEM(self->bindings, i);
        PyObject *keyword = PyTuple_GET_ITEM(binding, 0);
        PyObject *factory = PyTuple_GET_ITEM(binding, 2);
        Py_ssize_t index = find_source(names, PyTuple_GET_ITEM(binding, 1));
        bool positional = keyword == Py_None;
        if ((index < 0 && factory == Py_None) || (positional && gap)) {
            gap = gap || positional;
            continue;
        }
        int result = index >= 0 ? append_index(steps, index) : PyList_Append(steps, factory);
        if (result < 0 || (!positional && PyList_Append(keywords, keyword) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Routes what the listener does not name but takes by **. */
static int route_rest(struct lc_py_listener *self, PyObject *names, PyObject *steps,
                      PyObject *keywords)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (lc_py_names_find(self->own, name) >= 0) {
            continue;
        }
        if (append_index(steps, i) < 0 || PyList_Append(keywords, name) < 0) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->extras); i++) {
        PyObject *extra = PyTuple_GET_ITEM(self->extras, i);
        PyObject *name = PyTuple_GET_ITEM(extra, 0);
        Py_ssize_t source = lc_py_names_find(names, PyTuple_GET_ITEM(extra, 1));
        if (source < 0 || lc_py_names_find(names, name) >= 0 ||
            lc_py_names_find(self->own, name) >= 0) {
            continue;
        }
        if (append_index(steps, source) < 0 || PyList_Append(keywords, name) < 0) {
            return -1;
        }
    }
    return 0;
}

/* True if the listener would get exactly what was fired, all of it by name: the order of keyword
 * arguments means nothing to a call. */
static bool is_straight(struct lc_py_listener *self, PyObject *names, PyObject *steps,
                        PyObject *keywords)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    if (!self->rest || PyList_GET_SIZE(steps) != count || PyList_GET_SIZE(keywords) != count) {
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *step = PyList_GET_ITEM(steps, i);
        if (!PyLong_CheckExact(step)) {
            return false;
        }
        PyObject *fired = PyTuple_GET_ITEM(names, PyLong_AsSsize_t(step));
        if (PyUnicode_Compare(fired, PyList_GET_ITEM(keywords, i)) != 0) {
            return false;
        }
    }
    return true;
}

static int make_route(struct lc_py_listener *self, PyObject *names)
{
    int result = -1;
    PyObject *step_tuple = NULL, *keyword_tuple = NULL;
    PyObject *steps = PyList_New(0);
    PyObject *keywords = PyList_New(0);
    if (steps == NULL || keywords == NULL || route_bindings(self, names, steps, keywords) < 0 ||
        (self->rest && route_rest(self, names, steps, keywords) < 0)) {
        goto done;
    }
    step_tuple = PyList_AsTuple(steps);
    if (step_tuple == NULL) {
        goto done;
    }
    if (!is_straight(self, names, steps, keywords)) {
        keyword_tuple = PyList_AsTuple(keywords);
        if (keyword_tuple == NULL) {
            goto done;
        }
    }
    Py_XSETREF(self->steps, Py_NewRef(step_tuple));
    Py_XSETREF(self->keywords, Py_XNewRef(keyword_tuple));
    Py_XSETREF(self->names, Py_NewRef(names));
    result = 0;
done:
    Py_XDECREF(steps);
    Py_XDECREF(keywords);
    Py_XDECREF(step_tuple);
    Py_XDECREF(keyword_tuple);
    return result;
}

static bool has_route(struct lc_py_listener *self, PyObject *names)
{
    if (self->names == names) {
        return true;
    }
    if (self->names == NULL || PyTuple_GET_SIZE(self->names) != PyTuple_GET_SIZE(names)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (PyTuple_GET_ITEM(self->names, i) != PyTuple_GET_ITEM(names, i)) {
            return false;
        }
    }
    return true;
}

static LC_CALLS_PYTHON PyObject *take_step(PyObject *step, const struct lc_fired *fired)
{
    if (PyLong_CheckExact(step)) {
        return Py_NewRef(fired->values[PyLong_AsSsize_t(step)]);
    }
    return PyObject_CallNoArgs(step);
}

static LC_CALLS_PYTHON PyObject *call_by_steps(PyObject *handler, PyObject *steps,
                                               PyObject *keywords, const struct lc_fired *fired)
{
    PyObject *small[SMALL_CALL + 1];
    PyObject **memory = small;
    PyObject *result = NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(steps), taken = 0;
    if (count > SMALL_CALL) {
        memory = PyMem_New(PyObject *, (size_t)count + 1);
        if (memory == NULL) {
            return PyErr_NoMemory();
        }
    }
    PyObject **arguments = memory + 1;
    for (; taken < count; taken++) {
        arguments[taken] = take_step(PyTuple_GET_ITEM(steps, taken), fired);
        if (arguments[taken] == NULL) {
            goto done;
        }
    }
    size_t positional = (size_t)(count - PyTuple_GET_SIZE(keywords));
    result = PyObject_Vectorcall(handler, arguments, positional | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                 keywords);
done:
    while (taken > 0) {
        Py_DECREF(arguments[--taken]);
    }
    if (memory != small) {
        PyMem_Free(memory);
    }
    return result;
}

LC_CALLS_PYTHON PyObject *lc_py_listener_call(PyObject *listener, const struct lc_fired *fired)
{
    struct lc_py_listener *self = (struct lc_py_listener *)listener;
    if (!has_route(self, fired->names) && make_route(self, fired->names) < 0) {
        return NULL;
    }
    if (self->keywords == NULL) {
        return PyObject_Vectorcall(self->handler, fired->values, fired->spare, fired->names);
    }
    PyObject *steps = Py_NewRef(self->steps), *keywords = Py_NewRef(self->keywords);
    PyObject *result = call_by_steps(self->handler, steps, keywords, fired);
    Py_DECREF(steps);
    Py_DECREF(keywords);
    return result;
}

static int check_names(PyObject *names, const char *what)
{
    if (!PyTuple_Check(names)) {
        PyErr_Format(PyExc_TypeError, "%s must be a tuple of str", what);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(names, i))) {
            PyErr_Format(PyExc_TypeError, "%s must be a tuple of str", what);
            return -1;
        }
    }
    return 0;
}

/* Positional bindings come first, or a value would reach another parameter. */
static int check_bindings(PyObject *bindings)
{
    bool by_name = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bindings); i++) {
        PyObject *binding = PyTuple_GET_ITEM(bindings, i);
        if (!PyTuple_Check(binding) || PyTuple_GET_SIZE(binding) != 3) {
            PyErr_SetString(PyExc_TypeError, "a binding is (keyword or None, sources, factory)");
            return -1;
        }
        PyObject *keyword = PyTuple_GET_ITEM(binding, 0);
        if ((keyword == Py_None && by_name) || (keyword != Py_None && !PyUnicode_Check(keyword))) {
            PyErr_SetString(PyExc_TypeError, "positional bindings come first, keywords are str");
            return -1;
        }
        by_name = keyword != Py_None;
        PyObject *factory = PyTuple_GET_ITEM(binding, 2);
        if (factory != Py_None && !PyCallable_Check(factory)) {
            PyErr_SetString(PyExc_TypeError, "the factory of a binding must be callable or None");
            return -1;
        }
        if (check_names(PyTuple_GET_ITEM(binding, 1), "the sources of a binding") < 0) {
            return -1;
        }
    }
    return 0;
}

static int check_extras(PyObject *extras)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(extras); i++) {
        PyObject *extra = PyTuple_GET_ITEM(extras, i);
        if (check_names(extra, "an extra") < 0) {
            return -1;
        }
        if (PyTuple_GET_SIZE(extra) != 2) {
            PyErr_SetString(PyExc_TypeError, "an extra is (name, source)");
            return -1;
        }
    }
    return 0;
}

static PyObject *listener_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"handler", "bindings", "own", "rest", "extras", NULL};
    PyObject *handler, *bindings = NULL, *own = NULL, *extras = NULL;
    struct lc_py_listener *self = NULL;
    int rest = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O!O!pO!:Listener", keywords, &handler,
                                     &PyTuple_Type, &bindings, &PyTuple_Type, &own, &rest,
                                     &PyTuple_Type, &extras)) {
        return NULL;
    }
    PyObject *empty = PyTuple_New(0);
    if (empty == NULL) {
        return NULL;
    }
    bindings = bindings ? bindings : empty;
    own = own ? own : empty;
    extras = extras ? extras : empty;
    if (check_bindings(bindings) < 0 || check_names(own, "own") < 0 || check_extras(extras) < 0) {
        goto done;
    }
    self = (struct lc_py_listener *)type->tp_alloc(type, 0);
    if (self == NULL) {
        goto done;
    }
    self->handler = Py_NewRef(handler);
    self->bindings = Py_NewRef(bindings);
    self->own = Py_NewRef(own);
    self->extras = Py_NewRef(extras);
    self->rest = rest != 0;
done:
    Py_DECREF(empty);
    return (PyObject *)self;
}

static int listener_traverse(struct lc_py_listener *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->handler);
    Py_VISIT(self->bindings);
    Py_VISIT(self->own);
    Py_VISIT(self->extras);
    Py_VISIT(self->names);
    Py_VISIT(self->keywords);
    Py_VISIT(self->steps);
    return 0;
}

static int listener_clear(struct lc_py_listener *self)
{
    Py_CLEAR(self->handler);
    Py_CLEAR(self->bindings);
    Py_CLEAR(self->own);
    Py_CLEAR(self->extras);
    Py_CLEAR(self->names);
    Py_CLEAR(self->keywords);
    Py_CLEAR(self->steps);
    return 0;
}

static void listener_dealloc(struct lc_py_listener *self)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    listener_clear(self);
    tp->tp_free(self);
    Py_DECREF(tp);
}

static PyObject *listener_get_handler(struct lc_py_listener *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->handler);
}

static PyGetSetDef listener_getset[] = {
    {"handler", (getter)listener_get_handler, NULL, "The callable.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(listener_doc,
             "Listener(handler, bindings=(), own=(), rest=True, extras=())\n--\n\n"
             "A callable and the way an event's values reach it.\n\n"
             "bindings: one (keyword, sources, factory) for each parameter that gets a value;\n"
             "keyword None passes by position (these come first). The value is the one fired\n"
             "under the first of sources that was fired, else factory(), else (factory None)\n"
             "the argument is left out. rest: pass by name whatever else was fired, but none\n"
             "of the names in own, and each (name, source) of extras too.");

static PyType_Slot listener_slots[] = {
    {Py_tp_doc, (void *)listener_doc},
    {Py_tp_new, listener_new},
    {Py_tp_traverse, listener_traverse},
    {Py_tp_clear, listener_clear},
    {Py_tp_dealloc, listener_dealloc},
    {Py_tp_getset, listener_getset},
    {0, NULL},
};

PyType_Spec lc_py_listener_spec = {
    .name = "locust_c._core.Listener",
    .basicsize = sizeof(struct lc_py_listener),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = listener_slots,
};
