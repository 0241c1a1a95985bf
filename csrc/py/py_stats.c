#include "sample.h"
#include "py_stats_table.h"

#include <math.h>

static struct lc_stats *stats_of(PyObject *counters)
{
    return ((struct lc_py_counters *)counters)->stats;
}

/* The text by which equal errors are known; a str is its own text. */
LC_CALLS_PYTHON
static PyObject *error_text(PyObject *error)
{
    if (PyUnicode_CheckExact(error)) {
        return Py_NewRef(error);
    }
    PyObject *text = PyObject_Repr(error);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        /* An exception that cannot be shown is counted all the same, by its type. */
        PyErr_Clear();
        PyObject *type_name = PyType_GetName(Py_TYPE(error));
        text = type_name ? PyUnicode_FromFormat("<unprintable %U object>", type_name) : NULL;
        Py_XDECREF(type_name);
    }
    return text;
}

/* Asks Python for the error's counters and remembers them as the last of this entry. */
LC_CALLS_PYTHON
static PyObject *look_up_error(PyObject *self, struct lc_py_counters *counters,
                               const struct lc_py_key *key, PyObject *error, PyObject *text)
{
    struct lc_py_table *table = (struct lc_py_table *)self;
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    PyObject *found = PyObject_CallFunctionObjArgs(table->find_error, key->request_type, key->name,
                                                   error, text, NULL);
    if (found == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(found, state->stats_error_count)) {
        Py_DECREF(found);
        PyErr_SetString(PyExc_TypeError, "find_error must return a StatsError");
        return NULL;
    }
    Py_XSETREF(counters->error_text, Py_NewRef(text));
    Py_XSETREF(counters->error, Py_NewRef(found));
    counters->error_epoch = table->epoch;
    return found;
}

LC_CALLS_PYTHON
static int count_error(PyObject *self, struct lc_py_counters *counters, const struct lc_py_key *key,
                       PyObject *error)
{
    const struct lc_py_table *table = (const struct lc_py_table *)self;
    PyObject *text = error_text(error), *found;
    if (text == NULL) {
        return -1;
    }
    if (counters->error != NULL && counters->error_epoch == table->epoch &&
        PyUnicode_Compare(counters->error_text, text) == 0) {
        found = Py_NewRef(counters->error);
    } else {
        found = look_up_error(self, counters, key, error, text);
    }
    Py_DECREF(text);
    if (found == NULL) {
        return -1;
    }
    lc_py_stats_error_occurred(found, key->now_s);
    Py_DECREF(found);
    return 0;
}

LC_CALLS_PYTHON
static int record_failure(PyObject *self, PyObject *counters, const struct lc_py_key *key,
                          PyObject *error)
{
    lc_stats_fail(stats_of(counters), key->now_s);
    lc_stats_fail(stats_of(((struct lc_py_table *)self)->total), key->now_s);
    return count_error(self, (struct lc_py_counters *)counters, key, error);
}

/* None and what is false (an empty text) are no failure, as in Locust. -1 with an exception. */
static int is_failure(PyObject *exception)
{
    if (exception == NULL || exception == Py_None) {
        return 0;
    }
    return PyObject_IsTrue(exception);
}

/* What is counted about one request. */
struct measured {
    double time_ms;
    int64_t length;
    PyObject *exception;
    struct lc_phase_keys phases;
};

static void record_into(struct lc_stats *stats, const struct lc_py_key *key,
                        const struct measured *measured)
{
    lc_stats_record(stats, measured->time_ms, measured->length, key->now_s);
    lc_stats_record_phases(stats, &measured->phases);
}

LC_CALLS_PYTHON
static int record(PyObject *self, const struct lc_py_key *key, const struct measured *measured)
{
    if (isinf(measured->time_ms)) {
        PyErr_SetString(PyExc_ValueError, "response_time must be finite");
        return -1;
    }
    PyObject *counters = lc_py_table_find(self, key);
    if (counters == NULL) {
        return -1;
    }
    record_into(stats_of(counters), key, measured);
    record_into(stats_of(((struct lc_py_table *)self)->total), key, measured);
    int result = is_failure(measured->exception);
    if (result > 0) {
        result = record_failure(self, counters, key, measured->exception);
    }
    Py_DECREF(counters);
    return result;
}

static double now_s(void)
{
    return (double)lc_realtime_ns() / 1e9;
}

static void table_dealloc(PyObject *self);

static int check_table(PyObject *object)
{
    /* The type cannot be derived from, so its dealloc tells it without looking for the state. */
    if (PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) == (void *)table_dealloc) {
        return 0;
    }
    PyErr_SetString(PyExc_TypeError, "table must be a StatsTable");
    return -1;
}

LC_CALLS_PYTHON
int lc_py_stats_record(PyObject *table, const struct lc_sample *sample)
{
    if (check_table(table) < 0) {
        return -1;
    }
    struct lc_py_key key = {sample->request_type, sample->name, now_s()};
    struct measured measured = {
        sample->response_time_ms, sample->response_length, sample->exception, {.count = 0}};
    if (sample->phases != NULL) {
        lc_phases_find_keys(sample->phases, &measured.phases);
    }
    return record(table, &key, &measured);
}

LC_CALLS_PYTHON
int lc_py_stats_resent(PyObject *table, PyObject *request_type, PyObject *name)
{
    if (check_table(table) < 0) {
        return -1;
    }
    struct lc_py_key key = {request_type, name, now_s()};
    PyObject *counters = lc_py_table_find(table, &key);
    if (counters == NULL) {
        return -1;
    }
    stats_of(counters)->num_resent++;
    stats_of(((struct lc_py_table *)table)->total)->num_resent++;
    Py_DECREF(counters);
    return 0;
}

PyDoc_STRVAR(
    record_doc,
    "record($self, request_type, name, response_time, response_length, exception=None, now=None, /)"
    "\n--\n\nCount a request in its entry and in the total: its time in ms or None, its length in\n"
    "bytes, what it failed with or None, epoch seconds or None for now. Raises TypeError that\n"
    "names the argument.");

LC_CALLS_PYTHON
static PyObject *table_record(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count < 4 || count > 6) {
        PyErr_SetString(PyExc_TypeError, "record() takes 4 to 6 arguments");
        return NULL;
    }
    struct lc_py_key key = {args[0], args[1], 0};
    struct measured measured = {.exception = count > 4 ? args[4] : NULL};
    if (lc_py_to_response_time(args[2], &measured.time_ms) < 0 ||
        lc_py_to_length(args[3], "response_length", &measured.length) < 0) {
        return NULL;
    }
    if (count < 6 || args[5] == Py_None) {
        key.now_s = now_s();
    } else if (lc_py_to_double(args[5], "now", &key.now_s) < 0) {
        return NULL;
    }
    if (record(self, &key, &measured) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(record_failure_doc,
             "record_failure($self, request_type, name, error, now, /)\n--\n\n"
             "Count a failure without a request in its entry, in the total and under its error.");

LC_CALLS_PYTHON
static PyObject *table_record_failure(PyObject *self, PyObject *args)
{
    struct lc_py_key key;
    PyObject *error;
    if (!PyArg_ParseTuple(args, "OOOd:record_failure", &key.request_type, &key.name, &error,
                          &key.now_s)) {
        return NULL;
    }
    PyObject *counters = lc_py_table_find(self, &key);
    if (counters == NULL) {
        return NULL;
    }
    int result = record_failure(self, counters, &key, error);
    Py_DECREF(counters);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(
    record_resent_doc,
    "record_resent($self, request_type, name, /)\n--\n\nCount a request that was sent again.");

static PyObject *table_record_resent(PyObject *self, PyObject *args)
{
    PyObject *request_type, *name;
    if (!PyArg_ParseTuple(args, "OO:record_resent", &request_type, &name) ||
        lc_py_stats_resent(self, request_type, name) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forget_doc, "forget($self, /)\n--\n\nLook entries and errors up anew: something was "
                         "taken out of their dicts.");

static PyObject *table_forget(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct lc_py_table *table = (struct lc_py_table *)self;
    table->epoch++;
    lc_py_table_drop_slots(table);
    Py_RETURN_NONE;
}

static PyObject *get_total(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(((struct lc_py_table *)self)->total);
}

static int set_total(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (lc_py_refuse_delete(value) < 0 || lc_py_table_check_counters(self, value) < 0) {
        return -1;
    }
    Py_SETREF(((struct lc_py_table *)self)->total, Py_NewRef(value));
    return 0;
}

static PyObject *get_entries(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *entries = ((struct lc_py_table *)self)->entries;
    return Py_NewRef(entries != NULL ? entries : Py_None);
}

static int set_entries(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    struct lc_py_table *table = (struct lc_py_table *)self;
    if (lc_py_refuse_delete(value) < 0) {
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "entries must be a dict");
        return -1;
    }
    Py_XSETREF(table->entries, Py_NewRef(value));
    lc_py_table_drop_slots(table);
    return 0;
}

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"entries", "total", "find_error", NULL};
    PyObject *entries, *total, *find_error;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO:StatsTable", names, &entries, &total,
                                     &find_error)) {
        return NULL;
    }
    if (!PyDict_Check(entries)) {
        PyErr_SetString(PyExc_TypeError, "entries must be a dict");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self = allocate(type, 0);
    if (self == NULL || lc_py_table_check_counters(self, total) < 0) {
        Py_XDECREF(self);
        return NULL;
    }
    struct lc_py_table *table = (struct lc_py_table *)self;
    table->entries = Py_NewRef(entries);
    table->total = Py_NewRef(total);
    table->find_error = Py_NewRef(find_error);
    return self;
}

static int table_traverse(PyObject *self, visitproc visit, void *arg)
{
    const struct lc_py_table *table = (const struct lc_py_table *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(table->entries);
    Py_VISIT(table->total);
    Py_VISIT(table->find_error);
    for (size_t i = 0; i < table->size; i++) {
        Py_VISIT(table->slots[i].request_type);
        Py_VISIT(table->slots[i].name);
        Py_VISIT(table->slots[i].counters);
    }
    return 0;
}

static int table_clear(PyObject *self)
{
    struct lc_py_table *table = (struct lc_py_table *)self;
    lc_py_table_drop_slots(table);
    Py_CLEAR(table->entries);
    /* The other two stay until dealloc: a sample may still be on its way to them, and their cycles
     * with this table are broken by what they belong to. */
    return 0;
}

static void table_dealloc(PyObject *self)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    table_clear(self);
    Py_CLEAR(((struct lc_py_table *)self)->find_error);
    Py_CLEAR(((struct lc_py_table *)self)->total);
    freefunc release = (freefunc)PyType_GetSlot(tp, Py_tp_free);
    release(self);
    Py_DECREF(tp);
}

PyDoc_STRVAR(
    table_doc,
    "StatsTable(entries, total, find_error)\n--\n\n"
    "Records samples. `entries` is a dict {(name, method): StatsCounters} that makes what is\n"
    "missing, `find_error(method, name, error, text)` returns a StatsErrorCount.");

static PyMethodDef table_methods[] = {
    {"record", (PyCFunction)(void (*)(void))table_record, METH_FASTCALL, record_doc},
    {"record_failure", table_record_failure, METH_VARARGS, record_failure_doc},
    {"record_resent", table_record_resent, METH_VARARGS, record_resent_doc},
    {"forget", table_forget, METH_NOARGS, forget_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef table_getset[] = {
    {"entries", get_entries, set_entries, "The dict of the StatsCounters by (name, method).", NULL},
    {"total", get_total, set_total, "The StatsCounters of all requests.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, (void *)table_doc},   {Py_tp_new, table_new},
    {Py_tp_traverse, table_traverse}, {Py_tp_clear, table_clear},
    {Py_tp_dealloc, table_dealloc},   {Py_tp_methods, table_methods},
    {Py_tp_getset, table_getset},     {0, NULL},
};

PyType_Spec lc_py_stats_table_spec = {
    .name = "locust_c._core.StatsTable",
    .basicsize = sizeof(struct lc_py_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = table_slots,
};
