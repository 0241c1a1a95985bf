#include "py_watch.h"

/* What the attributes are now, a new tuple. Looking one up on the guard has the interpreter set its
 * flag again: first, so that no change goes unnoticed that happens meanwhile. */
static PyObject *values_now(PyTypeObject *guard, PyObject *attributes)
{
    Py_ssize_t count = PyTuple_GET_SIZE(attributes);
    PyObject *armed =
        PyObject_GetAttr((PyObject *)guard, PyTuple_GET_ITEM(PyTuple_GET_ITEM(attributes, 0), 1));
    PyObject *values = armed != NULL ? PyTuple_New(count) : NULL;
    for (Py_ssize_t i = 0; values != NULL && i < count; i++) {
        PyObject *attribute = PyTuple_GET_ITEM(attributes, i);
        PyObject *value =
            PyObject_GetAttr(PyTuple_GET_ITEM(attribute, 0), PyTuple_GET_ITEM(attribute, 1));
        if (value == NULL) {
            Py_CLEAR(values);
        } else {
            PyTuple_SET_ITEM(values, i, value);
        }
    }
    Py_XDECREF(armed);
    return values;
}

/* By identity: comparing could run anything. */
static bool are_same(PyObject *values, PyObject *others)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(values); i++) {
        if (PyTuple_GET_ITEM(values, i) != PyTuple_GET_ITEM(others, i)) {
            return false;
        }
    }
    return true;
}

LC_CALLS_PYTHON LC_RARE int lc_py_watch_look(struct py_watch *self)
{
    PyObject *values = values_now(self->guard, self->attributes);
    if (values == NULL) {
        return -1;
    }
    if (self->values == NULL || !are_same(values, self->values)) {
        self->changes++;
    }
    Py_XSETREF(self->values, values);
    return 0;
}

static bool is_attribute(PyObject *item)
{
    return PyTuple_CheckExact(item) && PyTuple_GET_SIZE(item) == 2 &&
           PyType_Check(PyTuple_GET_ITEM(item, 0)) && PyUnicode_Check(PyTuple_GET_ITEM(item, 1));
}

static int check_attributes(PyTypeObject *guard, PyObject *attributes)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(attributes); i++) {
        PyObject *item = PyTuple_GET_ITEM(attributes, i);
        if (!is_attribute(item)) {
            PyErr_Format(PyExc_TypeError, "not a pair of a class and a name: %R", item);
            return -1;
        }
        if (!PyType_IsSubtype(guard, (PyTypeObject *)PyTuple_GET_ITEM(item, 0))) {
            PyErr_Format(PyExc_TypeError, "the guard is not derived from %R",
                         PyTuple_GET_ITEM(item, 0));
            return -1;
        }
    }
    if (PyTuple_GET_SIZE(attributes) == 0) {
        PyErr_SetString(PyExc_ValueError, "there is nothing to watch");
        return -1;
    }
    return 0;
}

static PyObject *watch_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"guard", "attributes", "flag_tells", NULL};
    PyObject *guard, *attributes;
    int flag_tells;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!p:ClassWatch", names, &PyType_Type, &guard,
                                     &PyTuple_Type, &attributes, &flag_tells)) {
        return NULL;
    }
    if (check_attributes((PyTypeObject *)guard, attributes) < 0) {
        return NULL;
    }
    struct py_watch *self = (struct py_watch *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->guard = (PyTypeObject *)Py_NewRef(guard);
    self->attributes = Py_NewRef(attributes);
    self->flag_tells = flag_tells != 0;
    self->values = values_now(self->guard, attributes);
    if (self->values == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(look_doc, "look($self, /)\n--\n\n"
                       "How often a watched attribute was found to be another one, until now.");

static PyObject *watch_look(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_watch *self = (struct py_watch *)op;
    if (lc_py_watch_is_due(self) && lc_py_watch_look(self) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(self->changes);
}

static int watch_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_watch *self = (struct py_watch *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->guard);
    Py_VISIT(self->attributes);
    Py_VISIT(self->values);
    return 0;
}

/* The classes break their own cycles; the methods count on the guard and the attributes. */
static int watch_clear(PyObject *op)
{
    Py_CLEAR(((struct py_watch *)op)->values);
    return 0;
}

static void watch_dealloc(PyObject *op)
{
    struct py_watch *self = (struct py_watch *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    watch_clear(op);
    Py_XDECREF(self->guard);
    Py_XDECREF(self->attributes);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef watch_methods[] = {
    {"look", watch_look, METH_NOARGS, look_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(watch_doc, "ClassWatch(guard, attributes, flag_tells)\n--\n\n"
                        "Notices that attributes of classes, (class, name) each, were replaced.\n\n"
                        "`guard`: a class derived from all of them that nobody uses. `flag_tells`: "
                        "whether this\ninterpreter clears a class's flag when a base is changed.");

static PyType_Slot watch_slots[] = {
    {Py_tp_doc, (void *)watch_doc},
    {Py_tp_new, watch_new},
    {Py_tp_traverse, watch_traverse},
    {Py_tp_clear, watch_clear},
    {Py_tp_dealloc, watch_dealloc},
    {Py_tp_methods, watch_methods},
    {0, NULL},
};

PyType_Spec lc_py_watch_spec = {
    .name = "locust_c._core.ClassWatch",
    .basicsize = sizeof(struct py_watch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = watch_slots,
};
