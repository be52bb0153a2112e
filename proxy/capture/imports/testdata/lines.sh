# what a colleague pasted
curl http://iris-1.fraud.example.com/v1/models/iris-1:predict -H 'Content-Type: application/json' -d '{"instances": [[1, 2, 3, 4]]}'
$ curl -sS -XPOST "http://iris.local/v1/models/iris-1:predict" \
    -H "X-User: me" \
    -H 'Authorization: Bearer t0k3n-t0k3n' \
    --data-raw $'{"text": "it\'s \u00e9\\n"}' | jq '.predictions[0]' > out.json

curl -G iris.local/search -d a=1 --data-urlencode 'q=x y' ; curl -u me:t0k3n-t0k3n --url https://iris.local -k --compressed -o /dev/null
curl -X DELETE -H 'Host: other.local' 'http://127.0.0.1:8080/things/1?x=%20y#part' 2>/dev/null
curl --json '{"a": 1}' --http2 iris.local/json   # a comment 'with a quote
curl -d 'a=1' -d 'b=2
c=3' iris.local/two-lines
/usr/bin/curl -I iris.local/head
grpcurl -plaintext -d '{"target_name": "eta", "prediction_table": {"name": "t", "columns": [{"name": "km", "type": "TYPE_DOUBLE"}], "rows": [{"row_id": "1", "values": [{"double_value": 2.5}]}]}}' -H 'x-trace: 7' -authority eta-1.fraud.example.com localhost:8080 caraml.upi.v1.UniversalPredictionService/PredictValues
grpcurl -plaintext localhost:9000 caraml.upi.v1.UniversalPredictionService.PredictValues
