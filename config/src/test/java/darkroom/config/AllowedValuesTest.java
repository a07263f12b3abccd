package darkroom.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class AllowedValuesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "recipe=\" \" | recipe | not blank",
                "steps=0 | steps | from 1 to",
                "steps=2.5 | steps | whole numbers",
                "seed=0.5 | seed | whole numbers",
                "policy.model=\"\" | policy.model | not blank",
                "policy.base=\"\" | policy.base | not blank",
                "policy.resolution=0 | policy.resolution | from 1 to 8192",
                "policy.resolution=64 | policy.resolution | 32 with a base that ships",
                "policy.guidance=2.5 | policy.guidance | 1.0 with policy.model=embedded",
                "policy.guidance=-1 | policy.guidance | from 0.0 to 100.0",
                "policy.prompt-tokens=1 | policy.prompt-tokens | from 2 to 512",
                "data.source=\"\" | data.source | not blank",
                "data.tasks=[add, add] | data.tasks | each once",
                "data.train-tasks=0 | data.train-tasks | from 1 to",
                "data.pictures=raw | data.pictures | [displayed, as-stored]",
                "data.on-malformed=ignore | data.on-malformed | [skip, stop]",
                "rollout.groups-per-step=0 | rollout.groups-per-step | from 1 to",
                "rollout.images-per-group=1 | rollout.images-per-group | from 2 to",
                "rollout.solver-steps=0 | rollout.solver-steps | from 1 to",
                "rollout.schedule=cosine | rollout.schedule | [kontext, qwen, linear]",
                "rollout.solver=heun | rollout.solver | [euler, dpm2, sde]",
                "rollout.solver=sde | rollout.solver | training.objective=flow-grpo",
                "rollout.sde-noise=-0.1 | rollout.sde-noise | from 0.0 to",
                "rollout { solver=sde, sde-noise=0 } | rollout.sde-noise | above 0",
                "rollout.staleness=2 | rollout.staleness | from 0 to 1",
                "scoring.endpoints=[\"localhost:8000\"] | scoring.endpoints | http",
                "scoring.endpoints=[\"ftp://there\"] | scoring.endpoints | http",
                "scoring.endpoints=[\"http://a b\"] | scoring.endpoints | URLs",
                "scoring.judge=\"\" | scoring.judge | not blank",
                "rollout.precision=f16 | rollout.precision | auto, f32, bf16",
                "training.precision=true | training.precision | auto, f32, bf16",
                "scoring.judge-precision=fp32 | scoring.judge-precision | auto, f32, bf16",
                "scoring.method=vibes | scoring.method | score-logit",
                "scoring.concurrency=0 | scoring.concurrency | from 1 to 8192",
                "scoring.timeout=30 | scoring.timeout | 30s",
                "scoring.timeout=0s | scoring.timeout | 1ms to 7d",
                "scoring.attempts=0 | scoring.attempts | from 1 to",
                "scoring.logprob-source=best | scoring.logprob-source | auto",
                "scoring.canary-every=1 | scoring.canary-every | 30s",
                "scoring.canary-every=-1s | scoring.canary-every | 1ms to 7d",
                "scoring.jpeg-quality=101 | scoring.jpeg-quality | from 0 to 100",
                "scoring.weight=0 | scoring.weight | above 0.0",
                "scoring.templates=[\"a text\"] | scoring.templates | TASK=@FILE",
                "scoring.templates=[\"any=a\", \"any=b\"] | scoring.templates | each task once",
                "scoring.labels=[\"Yes=good\"] | scoring.labels | a number",
                "scoring.labels=[\"Yes\"] | scoring.labels | TOKEN=WEIGHT",
                "scoring.method=pattern | scoring.answer | where the number is",
                "scoring { method=adapter, answer=/score } | scoring.method | in scoring.endpoints",
                "scoring.low=1 | scoring.high | above scoring.low",
                "scoring.cache-max=0 | scoring.cache-max | from 1 to",
                "scoring.flat-groups-warn=-1 | scoring.flat-groups-warn | from 0 to",
                "scoring.flat-groups-max=-1 | scoring.flat-groups-max | from 0 to",
                "scoring.rewards=[{ name=A, endpoints=[\"http://a\"] }] | scoring.rewards.name | small letters",
                "scoring.rewards=[{ name=a, endpoints=[] }] | scoring.rewards.endpoints | at least one",
                "scoring.rewards=[{ name=scoring, endpoints=[\"http://a\"] }] | scoring.rewards | each name once",
                "scoring.label-mass-min=1.1 | scoring.label-mass-min | from 0.0 to 1.0",
                "groups.mean-threshold=1.1 | groups.mean-threshold | from 0.0 to 1.0",
                "groups.spread-threshold=-0.1 | groups.spread-threshold | from 0.0 to 1.0",
                "groups.epsilon=-1 | groups.epsilon | from 0.0",
                "groups.advantage-clip=0 | groups.advantage-clip | above 0.0",
                "groups.scored-min=-1 | groups.scored-min | from 0 to",
                "groups.scored-min=13 | groups.scored-min | rollout.images-per-group=12",
                "training.objective=ppo | training.objective | [diffusion-nft, flow-grpo]",
                "training.objective=flow-grpo | training.objective | rollout.solver=sde",
                "training.weighting=huber | training.weighting | [adaptive, none]",
                "training.beta=0 | training.beta | above 0.0",
                "training.kl-weight=-1 | training.kl-weight | from 0.0",
                "training.clip-range=2 | training.clip-range | from 0.0 to 1.0",
                "training.timesteps-per-image=0 | training.timesteps-per-image | from 1 to",
                "training.timesteps-per-image=7 | training.timesteps-per-image | rollout.solver-steps=5",
                "training.optimizer-steps=0 | training.optimizer-steps | from 1 to",
                "training.unit-samples=0 | training.unit-samples | from 1 to",
                "training.lora=-1 | training.lora | from 0 to",
                "training.lora-alpha=-1 | training.lora-alpha | from 0.0",
                "training { lora=4, lora-alpha=0 } | training.lora-alpha | training.lora=4",
                "training.optimizer.learning-rate=-1 | training.optimizer.learning-rate | from 0.0 to 1.0",
                "training.optimizer.warmup-steps=-1 | training.optimizer.warmup-steps | from 0 to",
                "training.optimizer.beta1=1 | training.optimizer.beta1 | from 0.0 to",
                "training.optimizer.beta2=1 | training.optimizer.beta2 | from 0.0 to",
                "training.optimizer.epsilon=0 | training.optimizer.epsilon | above 0.0",
                "training.optimizer.weight-decay=-1 | training.optimizer.weight-decay | from 0.0",
                "training.optimizer.gradient-clip=0 | training.optimizer.gradient-clip | above 0.0",
                "training.old-policy=frozen | training.old-policy | [public, constant, on-policy]",
                "rollout { schedule=qwen, solver-steps=1 } | rollout.solver-steps | rollout.schedule=kontext",
                "evaluation.solver-steps=1, rollout.schedule=qwen | evaluation.solver-steps | rollout.schedule=kontext",
                "training.old-policy-decay=1.5 | training.old-policy-decay | from 0.0 to 1.0",
                "training.ema-decay=-1 | training.ema-decay | from 0.0 to 1.0",
                "evaluation.tasks=0 | evaluation.tasks | from 1 to",
                "evaluation.images-per-task=0 | evaluation.images-per-task | from 1 to",
                "evaluation.every-steps=-1 | evaluation.every-steps | from 0 to",
                "evaluation.validation-tasks=0 | evaluation.validation-tasks | from 1 to",
                "evaluation.patience=-1 | evaluation.patience | from 0 to",
                "evaluation.solver-steps=0 | evaluation.solver-steps | from 1 to",
                "checkpoints.every-steps=0 | checkpoints.every-steps | from 1 to",
                "checkpoints.keep-last=0 | checkpoints.keep-last | from 1 to",
                "checkpoints.copy-to=\"s3://me:secret@bucket/run\" | checkpoints.copy-to | without them",
                "inputs.train=abc | inputs.train | 64 hexadecimal digits",
                "inputs.validation=abc | inputs.validation | 64 hexadecimal digits",
                "inputs.held-out=abc | inputs.held-out | 64 hexadecimal digits",
                "inputs.base=abc | inputs.base | 64 hexadecimal digits",
                "inputs.judge=abc | inputs.judge | 64 hexadecimal digits",
                "ledger.store=paper | ledger.store | [file, postgresql, none]",
                "ledger.store=postgresql | ledger.url | jdbc:postgresql://HOST:PORT/DATABASE",
                "ledger.url=\"jdbc:mysql://host/db\" | ledger.url | jdbc:postgresql://HOST:PORT/DATABASE",
                "ledger.events-queued-max=0 | ledger.events-queued-max | from 1 to",
                "ledger.events-per-write-max=0 | ledger.events-per-write-max | from 1 to",
                "ledger.write-timeout=0s | ledger.write-timeout | 1ms to 7d",
                "ledger.write-attempts-max=0 | ledger.write-attempts-max | from 1 to",
                "workers.rollout-devices=0 | workers.rollout-devices | from 1 to 1024",
                "workers.trainer-devices=0 | workers.trainer-devices | from 1 to 1024",
                "workers.gradient-units-per-lease=0 | workers.gradient-units-per-lease | powers of two from 1 to 64",
                "workers.gradient-units-per-lease=3 | workers.gradient-units-per-lease | powers of two from 1 to 64",
                "workers.gradient-units-per-lease=128 | workers.gradient-units-per-lease | powers of two from 1 to 64",
                "limits.groups-in-flight-max=0 | limits.groups-in-flight-max | from 1 to",
                "limits.lease-time=0s | limits.lease-time | 1ms to 7d",
                "limits.heartbeat-every=0s | limits.heartbeat-every | 1ms to 7d",
                "limits.heartbeat-every=1s | limits.heartbeat-every | limits.lease-time=1000ms",
                "limits.work-attempts-max=0 | limits.work-attempts-max | from 1 to",
                "limits.stall-after=0s | limits.stall-after | 1ms to 7d",
                "limits.tensor-bytes-max=1KiB | limits.tensor-bytes-max | from 1048576 to",
                "limits.shutdown-grace=0s | limits.shutdown-grace | 1ms to 7d",
                "workers.virtual.rollout=0s | workers.virtual.rollout | 1ms to 7d",
                "workers.virtual.score=0s | workers.virtual.score | 1ms to 7d",
                "workers.virtual.unit=0s | workers.virtual.unit | 1ms to 7d",
                "workers.device=gpu | workers.device | [torch, virtual]",
                "cluster.host=\"\" | cluster.host | not blank",
                "cluster.host=\"10.0.0.1:2551\" | cluster.host | without a port",
                "cluster.host=\"a b\" | cluster.host | an address of this machine",
                "cluster.port=65536 | cluster.port | from 0 to 65535",
                "cluster.seed-nodes=[nowhere] | cluster.seed-nodes | host:port",
                "cluster { discovery-name=control, port=1, seed-nodes=[\"a:1\"] } | cluster.discovery-name | not both",
                "cluster.discovery-name=control | cluster.port | the port of the control nodes",
                "cluster.status-port=-1 | cluster.status-port | from 0 to 65535",
                "cluster.node-silent-after=0s | cluster.node-silent-after | 1ms to 7d",
                "cluster.control-silent-after=0s | cluster.control-silent-after | 1ms to 7d",
                "cluster.drain-time=0s | cluster.drain-time | 1ms to 7d",
                "cluster.tls.key=a.pem | cluster.tls.certificate | for none",
                "cluster.tls.certificate=a.pem | cluster.tls.key | for none",
                "cluster.tls { certificate=a.pem, key=b.pem } | cluster.tls.authority | for none",
                "cluster.tensor-plane.transport=tcp | cluster.tensor-plane.transport | [auto, ipc, udp]",
                "cluster.tensor-plane.driver=\"\" | cluster.tensor-plane.driver | not blank",
                "cluster.tensor-plane.port=-1 | cluster.tensor-plane.port | from 0 to 65535",
                "cluster.tensor-plane.transfer-timeout=0s | cluster.tensor-plane.transfer-timeout | 1ms to 7d",
                "cluster.tensor-plane.peer-silent-after=0s | cluster.tensor-plane.peer-silent-after | 1ms to 7d",
                "cluster.tensor-plane.replica-bytes-max=1 | cluster.tensor-plane.replica-bytes-max | from 1048576 to",
                "cluster.tensor-plane.transfers-max=0 | cluster.tensor-plane.transfers-max | from 1 to"
            })
    void a_value_that_cannot_work_is_named_with_what_is_allowed(String override, String key, String allowed) {
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of(override)))
                .isInstanceOf(SettingsException.class)
                .hasMessageStartingWith(key + "=")
                .hasMessageContaining("allowed are ")
                .hasMessageContaining(allowed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "training.old-policy=constant | training.old-policy=constant | set training.old-policy=on-policy",
                "training.old-policy=public | training.old-policy=public | set training.old-policy=on-policy",
                "rollout.staleness=1 | rollout.staleness=1 | set rollout.staleness=0",
                "training.timesteps-per-image=6 | training.timesteps-per-image=6 | up to 5, below"
                        + " rollout.solver-steps=6",
                "rollout.solver-steps=1 | training.timesteps-per-image=5 | up to 0, below rollout.solver-steps=1",
                "rollout.solver=dpm2 | training.objective=flow-grpo | rollout.solver=sde"
            })
    void flow_grpo_with_a_policy_that_lags_or_the_last_solver_step_is_refused(
            String override, String setting, String remedy) {
        for (String recipe : List.of("embedded-flow-grpo", "embedded-flow-grpo-local")) {
            assertThatThrownBy(() -> Recipes.load(recipe, List.of(override)))
                    .isInstanceOf(SettingsException.class)
                    .hasMessageStartingWith(setting)
                    .hasMessageContaining("allowed are ")
                    .hasMessageContaining(remedy);
        }
    }

    @Test
    void a_recorded_run_that_calls_the_old_policy_of_the_public_code_the_papers_is_read() {
        assertThat(Recipes.load("embedded-demo", List.of("training.old-policy=paper"))
                        .training()
                        .oldPolicy())
                .isEqualTo(TrainingSettings.OldPolicy.PUBLIC);
    }

    /** So that a rule that is added gets its line above. */
    @Test
    void every_setting_but_switches_and_free_texts_is_refused_some_value() throws Exception {
        String lines = Arrays.stream(AllowedValuesTest.class
                        .getDeclaredMethod(
                                "a_value_that_cannot_work_is_named_with_what_is_allowed",
                                String.class,
                                String.class,
                                String.class)
                        .getAnnotation(CsvSource.class)
                        .value())
                .map(line -> line.split("\\|")[1].strip())
                .sorted()
                .distinct()
                .toList()
                .toString();
        for (Map.Entry<String, ?> setting : ConfigFactory.parseString(
                        Recipes.render(Recipes.load("embedded-demo", List.of())))
                .entrySet()) {
            boolean free = List.of(
                            "policy.weights",
                            "scoring.model",
                            "scoring.system",
                            "scoring.cache",
                            "scoring.low",
                            "ledger.user")
                    .contains(setting.getKey());
            boolean judgedElsewhere =
                    List.of("groups.rule", "groups.spread", "groups.normaliser").contains(setting.getKey());
            boolean onOff = String.valueOf(setting.getValue()).contains("true")
                    || String.valueOf(setting.getValue()).contains("false");
            if (!free && !judgedElsewhere && !onOff) {
                assertThat(lines).contains(setting.getKey());
            }
        }
    }

    @Test
    void a_further_reward_says_its_name_and_its_endpoints_and_nothing_that_there_is_not() {
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of("scoring.rewards=[{ name=a }]")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("one of scoring.rewards has no endpoints")
                .hasMessageNotContaining(".jar");
        assertThatThrownBy(() -> Recipes.load(
                        "embedded-demo",
                        List.of("scoring.rewards=[{ name=a, endpoints=[\"http://a\"], temperature=1 }]")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("scoring.rewards.temperature")
                .hasMessageContaining("templates");
    }

    @Test
    void numbers_of_another_type_are_named() {
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of("steps=many")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("steps")
                .hasMessageContaining("NUMBER");
        assertThatThrownBy(() -> Recipes.load("embedded-demo", List.of("steps=3000000000")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("steps=3000000000");
    }

    @Test
    void a_password_in_a_url_is_not_shown() {
        assertThatThrownBy(
                        () -> Recipes.load("embedded-demo", List.of("scoring.endpoints=[\"http://me:s3cret@host\"]")))
                .hasMessageContaining("scoring.endpoints")
                .hasMessageNotContaining("s3cret");
        assertThatThrownBy(() -> Recipes.load(
                        "embedded-demo", List.of("ledger.url=\"jdbc:postgresql://host/db?password=s3cret\"")))
                .hasMessageContaining("ledger.url")
                .hasMessageNotContaining("s3cret");
        assertThatThrownBy(() ->
                        Recipes.load("embedded-demo", List.of("ledger.url=\"jdbc:postgresql://me:s3cret@host/db\"")))
                .hasMessageContaining("ledger.url")
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void flow_grpo_is_one_setting_beside_its_sampler_and_its_policy() {
        RunSettings settings = Recipes.load(
                "embedded-demo",
                List.of("training.objective=flow-grpo", "rollout.solver=sde", "training.old-policy=on-policy"));
        assertThat(settings.training().objective()).isEqualTo(TrainingSettings.Objective.FLOW_GRPO);
    }

    @ParameterizedTest
    @FieldSource("darkroom.config.Recipes#SHIPPED")
    void what_is_explained_reads_back_equal_and_says_what_is_not_default(String recipe, @TempDir Path directory)
            throws IOException {
        List<String> overrides =
                List.of("seed=7", "scoring.endpoints=[\"http://127.0.0.1:9\"]", "limits.lease-time=7s");
        String text = Recipes.explain(recipe, overrides);
        assertThat(text)
                .contains("seed = 7", "# key of all randomness of the run (default 0; ours)")
                .contains("lease-time = \"7s\"", "# tau mu; paper: Table 5");
        Path file = Files.writeString(directory.resolve("shown.conf"), text);
        assertThat(Recipes.load(file.toString(), List.of())).isEqualTo(Recipes.load(recipe, overrides));
    }
}
