#include "module.h"

#include "connect.h"
#include "phases.h"
#include "wake.h"

struct lc_state *lc_state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

struct lc_state *lc_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &lc_module_def);
    return module ? lc_state_of_module(module) : NULL;
}

#define DECLARE_SPEC(field, spec, name) extern PyType_Spec spec;
LC_PY_TYPES(DECLARE_SPEC)
#undef DECLARE_SPEC

/* PHASES, the names of the phases in their order. */
static int add_phases(PyObject *module)
{
    PyObject *names = PyTuple_New(LC_PHASE_COUNT);
    int result = names != NULL ? 0 : -1;
    for (int phase = 0; result == 0 && phase < LC_PHASE_COUNT; phase++) {
        PyObject *name = PyUnicode_FromString(lc_phases_name((enum lc_phase)phase));
        result = name != NULL ? 0 : -1;
        PyTuple_SET_ITEM(names, phase, name);
    }
    if (result == 0) {
        result = PyModule_AddObjectRef(module, "PHASES", names);
    }
    Py_XDECREF(names);
    return result;
}

static int module_exec(PyObject *module)
{
    struct lc_state *state = lc_state_of_module(module);

    if (lc_wake_import() < 0 || lc_connect_init_process() < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ImportError, "libcurl cannot be initialised");
        }
        return -1;
    }
#define INTERN_STRING(field, text)                                                                 \
    if ((state->field = PyUnicode_InternFromString(text)) == NULL) {                               \
        return -1;                                                                                 \
    }
    LC_PY_STRINGS(INTERN_STRING)
#undef INTERN_STRING

    state->sample_names =
        PyTuple_Pack(9, state->str_request_type, state->str_name, state->str_response_time,
                     state->str_response_length, state->str_response, state->str_context,
                     state->str_exception, state->str_start_time, state->str_url);
    if (state->sample_names == NULL) {
        return -1;
    }

#define ADD_ERROR(name, text)                                                                      \
    if (PyModule_AddIntConstant(module, &#name[3], name) < 0) {                                    \
        return -1;                                                                                 \
    }
    LC_ERRORS(ADD_ERROR)
#undef ADD_ERROR
    if (add_phases(module) < 0 ||
        PyModule_AddStringConstant(module, "__version__", LC_VERSION) < 0) {
        return -1;
    }

#define ADD_TYPE(field, spec, name)                                                                \
    state->field = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);                  \
    if (state->field == NULL || PyModule_AddType(module, state->field) < 0) {                      \
        return -1;                                                                                 \
    }
    LC_PY_TYPES(ADD_TYPE)
#undef ADD_TYPE
    return 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct lc_state *state = lc_state_of_module(module);
    if (state == NULL) {
        return 0;
    }
#define VISIT_FIELD(field, ...) Py_VISIT(state->field);
    LC_PY_TYPES(VISIT_FIELD)
    LC_PY_STRINGS(VISIT_FIELD)
#undef VISIT_FIELD
    Py_VISIT(state->sample_names);
    return 0;
}

static int module_clear(PyObject *module)
{
    struct lc_state *state = lc_state_of_module(module);
    if (state == NULL) {
        return 0;
    }
#define CLEAR_FIELD(field, ...) Py_CLEAR(state->field);
    LC_PY_TYPES(CLEAR_FIELD)
    LC_PY_STRINGS(CLEAR_FIELD)
#undef CLEAR_FIELD
    Py_CLEAR(state->sample_names);
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

PyDoc_STRVAR(types_doc, "_types() -> tuple of every type the module defines, for the leak test.");

static PyObject *module_types(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    struct lc_state *state = lc_state_of_module(module);
    PyTypeObject *types[] = {
#define LIST_TYPE(field, spec, name) state->field,
        LC_PY_TYPES(LIST_TYPE)
#undef LIST_TYPE
            NULL};
    Py_ssize_t count = (Py_ssize_t)(sizeof types / sizeof types[0]) - 1;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(types[i]));
    }
    (void)state;
    return tuple;
}

PyDoc_STRVAR(
    counts_doc,
    "_counts() -> dict of what the current thread's engines hold, for tests that look for\n"
    "leaks: name -> (opened, closed).");

static PyObject *module_counts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    static const char *const names[] = {
#define LIST_NAME(name, text) text,
        LC_COUNTED(LIST_NAME)
#undef LIST_NAME
    };
    PyObject *counts = PyDict_New();
    for (int i = 0; counts != NULL && i < LC_COUNTED_END; i++) {
        struct lc_count count = lc_count_of((enum lc_counted)i);
        PyObject *pair = Py_BuildValue("(LL)", (long long)count.opened, (long long)count.closed);
        if (pair == NULL || PyDict_SetItemString(counts, names[i], pair) < 0) {
            Py_CLEAR(counts);
        }
        Py_XDECREF(pair);
    }
    return counts;
}

PyDoc_STRVAR(blocks_doc,
             "_blocks() -> how many blocks of memory the current thread has allocated in\n"
             "the core and not freed, for tests that look for leaks.");

static PyObject *module_blocks(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLongLong(lc_alloc_live());
}

PyDoc_STRVAR(make_certificate_doc,
             "_make_certificate($module, is_rsa, /)\n--\n\n"
             "PEM of a certificate that no authority signed and of its key, RSA or elliptic.");

static PyMethodDef module_methods[] = {
    {"_counts", module_counts, METH_NOARGS, counts_doc},
    {"_blocks", module_blocks, METH_NOARGS, blocks_doc},
    {"_types", module_types, METH_NOARGS, types_doc},
    {"_make_certificate", lc_py_make_certificate, METH_O, make_certificate_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

struct PyModuleDef lc_module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "locust_c._core",
    .m_doc = "The engine, the statistics and the event dispatch of locust-c.",
    .m_size = sizeof(struct lc_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&lc_module_def);
}
