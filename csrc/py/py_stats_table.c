#include "py_stats_table.h"

#define FIRST_SLOTS 64

void lc_py_table_drop_slots(struct lc_py_table *table)
{
    struct lc_py_slot *slots = table->slots;
    size_t size = table->size;
    table->slots = NULL;
    table->size = 0;
    table->used = 0;
    for (size_t i = 0; i < size; i++) {
        Py_XDECREF(slots[i].request_type);
        Py_XDECREF(slots[i].name);
        Py_XDECREF(slots[i].counters);
    }
    PyMem_Free(slots);
}

static bool is_same(PyObject *left, PyObject *right)
{
    return left == right || PyUnicode_Compare(left, right) == 0;
}

/* The slot of the key, or the empty one where it belongs; the table has slots. */
static struct lc_py_slot *probe(const struct lc_py_table *table, Py_hash_t hash,
                                const struct lc_py_key *key)
{
    size_t mask = table->size - 1;
    size_t at = (size_t)hash & mask;
    while (table->slots[at].counters != NULL) {
        struct lc_py_slot *slot = &table->slots[at];
        if (slot->hash == hash && is_same(slot->name, key->name) &&
            is_same(slot->request_type, key->request_type)) {
            return slot;
        }
        at = (at + 1) & mask;
    }
    return &table->slots[at];
}

static int grow(struct lc_py_table *table)
{
    size_t old_size = table->size, size = old_size == 0 ? FIRST_SLOTS : 2 * old_size;
    struct lc_py_slot *old = table->slots, *slots = PyMem_Calloc(size, sizeof *slots);
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    table->slots = slots;
    table->size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].counters != NULL) {
            struct lc_py_key key = {old[i].request_type, old[i].name, 0};
            *probe(table, old[i].hash, &key) = old[i];
        }
    }
    PyMem_Free(old);
    return 0;
}

static int remember(struct lc_py_table *table, Py_hash_t hash, const struct lc_py_key *key,
                    PyObject *counters)
{
    if (2 * (table->used + 1) > table->size && grow(table) < 0) {
        return -1;
    }
    struct lc_py_slot *slot = probe(table, hash, key);
    if (slot->counters == NULL) {
        *slot = (struct lc_py_slot){hash, Py_NewRef(key->request_type), Py_NewRef(key->name),
                                    Py_NewRef(counters)};
        table->used++;
    }
    return 0;
}

/* What is no plain str is known by its text, as Locust shows it: an int, a path, an enumeration. */
LC_CALLS_PYTHON
static PyObject *text_of(PyObject *object)
{
    if (PyUnicode_Check(object)) {
        return PyUnicode_FromObject(object);
    }
    PyObject *text = PyObject_Str(object);
    if (text != NULL && !PyUnicode_CheckExact(text)) {
        Py_SETREF(text, PyUnicode_FromObject(text));
    }
    return text;
}

LC_CALLS_PYTHON
static PyObject *find_by_texts(PyObject *self, const struct lc_py_key *key)
{
    PyObject *type = key->request_type, *found = NULL;
    PyObject *name = text_of(key->name);
    type = type == Py_None ? PyUnicode_FromString("") : text_of(type);
    if (name != NULL && type != NULL) {
        found = lc_py_table_find(self, &(struct lc_py_key){type, name, key->now_s});
    }
    Py_XDECREF(name);
    Py_XDECREF(type);
    return found;
}

int lc_py_table_check_counters(PyObject *table, PyObject *object)
{
    struct lc_state *state = lc_state_of_type(Py_TYPE(table));
    if (state == NULL) {
        return -1;
    }
    if (!PyObject_TypeCheck(object, state->stats_counters)) {
        PyErr_SetString(PyExc_TypeError, "a statistics entry must be a StatsEntry");
        return -1;
    }
    return 0;
}

/* Asks the dict, which makes the entry if it is new. Returns a new reference. */
LC_CALLS_PYTHON
static PyObject *find_in_dict(PyObject *self, Py_hash_t hash, const struct lc_py_key *key)
{
    struct lc_py_table *table = (struct lc_py_table *)self;
    if (table->entries == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the statistics are being collected");
        return NULL;
    }
    PyObject *pair = PyTuple_Pack(2, key->name, key->request_type);
    if (pair == NULL) {
        return NULL;
    }
    PyObject *counters = PyObject_GetItem(table->entries, pair);
    if (counters == NULL || lc_py_table_check_counters(self, counters) < 0) {
        goto fail;
    }
    /* A key that the dict did not take shares a row with others: it is not remembered, or the
     * slots would grow with every name. */
    int kept = PyDict_Contains(table->entries, pair);
    if (kept < 0 || (kept && remember(table, hash, key, counters) < 0)) {
        goto fail;
    }
    Py_DECREF(pair);
    return counters;
fail:
    Py_XDECREF(counters);
    Py_DECREF(pair);
    return NULL;
}

LC_CALLS_PYTHON
PyObject *lc_py_table_find(PyObject *self, const struct lc_py_key *key)
{
    const struct lc_py_table *table = (const struct lc_py_table *)self;
    if (!PyUnicode_CheckExact(key->request_type) || !PyUnicode_CheckExact(key->name)) {
        return find_by_texts(self, key);
    }
    Py_hash_t name_hash = PyObject_Hash(key->name);
    Py_hash_t type_hash = PyObject_Hash(key->request_type);
    if (name_hash == -1 || type_hash == -1) {
        return NULL;
    }
    Py_hash_t hash = (Py_hash_t)((size_t)type_hash * 1000003u ^ (size_t)name_hash);
    if (table->size != 0) {
        const struct lc_py_slot *slot = probe(table, hash, key);
        if (slot->counters != NULL) {
            return Py_NewRef(slot->counters);
        }
    }
    return find_in_dict(self, hash, key);
}
