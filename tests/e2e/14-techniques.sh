#!/usr/bin/env bash
# What people do to a run beside training it: early stopping, pruning, running means, slower rates; and what becomes visible.
. "$(dirname "$0")/lib.sh"
start

refused() {
  post '/v1/jobs?validate_only=true' "{\"kind\":\"ae\",\"params\":{$1}}"
  is "$status $(j '.errors[0].pointer')" "422 $2" "refused: $1"
}
refused '"early_stopping":{"patience":0}' '#/params/early_stopping/patience'
refused '"early_stopping":{"patients":3}' '#/params/early_stopping/patients'
refused '"early_stopping":[]' '#/params/early_stopping'
refused '"prune":{"schedule":"cubic"}' '#/params/prune/end_epoch'
refused '"prune":{"amount":1.5}' '#/params/prune/amount'
post '/v1/jobs?validate_only=true' '{"kind":"ae","params":{"early_stopping":{"patience":3},"prune":null}}'
is "$(j '[.params.early_stopping.patience, .params.early_stopping.restore_best, .params.prune]')" '[3,true,null]' \
  "members that are not given have their defaults"

# A rate of 0 makes nothing better than the first epoch.
small='"train_limit":'$((SLOW ? 500 : 2000))
submit "{\"kind\":\"ae\",\"params\":{$small,\"lr\":0,\"epochs\":50,\"schedule\":\"constant\",\"early_stopping\":{\"patience\":2}}}"
settle "$job"
is "$state $(j '[.stop_reason, .progress.epoch, .progress.epochs, .progress.eta_ms, .best.epoch]')" \
  'succeeded ["early_stop",3,50,0,1]' "patience ends the run, with the best epoch's model"
check "and a figure on the test images" [ "$(j '.test.loss > 0')" = true ]
get "/v1/jobs/$job/checkpoints"
is "$(j '.data | map(.epoch) | max')" 3 "the last epoch is saved too"

# zeros FILE: the share of exact zeros among the weights of layers, and the number of tensors that look like resume state.
zeros() {
  node -e '
    const bytes = require("fs").readFileSync(process.argv[1]);
    const end = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, end));
    let zeros = 0, all = 0, foreign = 0;
    delete header.__metadata__;
    for (const [name, { shape, data_offsets: [from, to] }] of Object.entries(header)) {
      if (/^(mask|live|optim|tracker)\./.test(name)) foreign++;
      if (shape.length < 2) continue;
      const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + end + from, bytes.byteOffset + end + to));
      all += values.length;
      zeros += values.filter((x) => x === 0).length;
    }
    console.log((zeros / all).toFixed(3), foreign);' "$1"
}
submit "{\"kind\":\"ae\",\"params\":{$small,\"epochs\":5,\"ema\":0.9,\"prune\":{\"method\":\"global_l1_unstructured\",\"amount\":0.5,
  \"start_epoch\":2,\"every\":2,\"end_epoch\":4}}}"
settle "$job"
is "$state" succeeded "a run is pruned twice"
check "the best epoch is one of those that are pruned in full" [ "$(j '.best.epoch >= 4')" = true ]
get "/v1/jobs/$job/metrics?names=sparsity,loss_before_prune,loss_after_prune"
is "$(j '.series.sparsity.value')" '[0,0.5,0.5,0.75,0.75]' "half goes, then half of the rest"
is "$(j '[.series.loss_before_prune.epoch, (.series.loss_after_prune.value | length)]')" '[[2,4],2]' "with the loss before and after"
curl -q -s "$url/v1/jobs/$job/events.txt" > "$T/told"
is "$(grep -c 'pruned .* % of the weights: loss .* before, .* after' "$T/told")" 2 "and it is told"
for which in best last; do
  curl -q -s "$url/v1/jobs/$job/checkpoints/$which/weights" > "$T/weights"
  is "$(zeros "$T/weights")" "0.750 0" "the $which weights have those zeros, and nothing that only a resume needs"
done

submit "{\"kind\":\"ae\",\"params\":{$small,\"epochs\":4,\"lr\":1e-3,\"schedule\":\"step\",\"lr_step_epochs\":2,\"lr_gamma\":0.5,\"warmup_epochs\":0}}"
settle "$job"
get "/v1/jobs/$job/metrics?names=lr&by=epoch"
is "$(j '.series.lr.value')" '[0.001,0.001,0.0005,0.0005]' "a rate that falls in steps"
stop
finish
