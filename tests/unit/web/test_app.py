import httpx


async def test_a_command_answers_its_location_version_and_token(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters", json={"name": "errors"})
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"name": "errors", "value": 0}
    assert answer.headers["Location"] == "/v1/counters/errors"
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Consistency-Token"]
