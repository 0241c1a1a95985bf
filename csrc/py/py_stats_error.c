#include "py_stats.h"

#include <math.h>

struct py_error_count {
    PyObject_HEAD
    uint64_t occurrences;
    double first_seen_s; /* NaN: not yet */
    double last_seen_s;
};

void lc_py_stats_error_occurred(PyObject *error, double now_s)
{
    struct py_error_count *count = (struct py_error_count *)error;
    count->occurrences++;
    if (isnan(count->first_seen_s)) {
        count->first_seen_s = now_s;
    }
    count->last_seen_s = now_s;
}

static PyObject *error_count_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":StatsErrorCount", names)) {
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self = allocate(type, 0);
    if (self != NULL) {
        ((struct py_error_count *)self)->first_seen_s = (double)NAN;
        ((struct py_error_count *)self)->last_seen_s = (double)NAN;
    }
    return self;
}

static int error_count_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void error_count_dealloc(PyObject *self)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    freefunc release = (freefunc)PyType_GetSlot(tp, Py_tp_free);
    release(self);
    Py_DECREF(tp);
}

static PyObject *get_occurrences(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(((struct py_error_count *)self)->occurrences);
}

static int set_occurrences(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    struct py_error_count *count = (struct py_error_count *)self;
    return lc_py_refuse_delete(value) < 0
               ? -1
               : lc_py_to_count(value, "occurrences", &count->occurrences);
}

/* The closure is the offset of the field and its name. */
struct time_field {
    size_t offset;
    const char *name;
};

static const struct time_field first_seen = {offsetof(struct py_error_count, first_seen_s),
                                             "first_seen"};
static const struct time_field last_seen = {offsetof(struct py_error_count, last_seen_s),
                                            "last_seen"};

static PyObject *get_time(PyObject *self, void *closure)
{
    const struct time_field *field = closure;
    return lc_py_from_optional(*(double *)((char *)self + field->offset));
}

static int set_time(PyObject *self, PyObject *value, void *closure)
{
    const struct time_field *field = closure;
    double *time_s = (double *)((char *)self + field->offset);
    return lc_py_refuse_delete(value) < 0 ? -1 : lc_py_to_optional(value, field->name, time_s);
}

static PyGetSetDef error_count_getset[] = {
    {"occurrences", get_occurrences, set_occurrences, "How often the error occurred.", NULL},
    {"first_seen", get_time, set_time, "Epoch seconds or None.", (void *)&first_seen},
    {"last_seen", get_time, set_time, "Epoch seconds or None.", (void *)&last_seen},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(error_count_doc, "StatsErrorCount()\n--\n\nHow often and when one error occurred.");

static PyType_Slot error_count_slots[] = {
    {Py_tp_doc, (void *)error_count_doc},   {Py_tp_new, error_count_new},
    {Py_tp_traverse, error_count_traverse}, {Py_tp_dealloc, error_count_dealloc},
    {Py_tp_getset, error_count_getset},     {0, NULL},
};

PyType_Spec lc_py_stats_error_spec = {
    .name = "locust_c._core.StatsErrorCount",
    .basicsize = sizeof(struct py_error_count),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = error_count_slots,
};
