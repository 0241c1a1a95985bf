"""Steps that users of several kinds take."""


def log_in(client, name):
    client.post("/anything/structured/login", json={"name": name})


def search(client, word):
    with client.get(f"/anything/structured/{word}", catch_response=True) as answer:
        if not answer.json()["path"].endswith(word):
            answer.failure("another word was found")
