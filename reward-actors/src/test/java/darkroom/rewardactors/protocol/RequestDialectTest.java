package darkroom.rewardactors.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.rewardactors.client.FaultyScorer;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.client.ScorerClientTest;
import darkroom.rewardactors.client.StrictScorer;
import darkroom.rewardactors.client.StrictScorer.Refusal;
import darkroom.rewardactors.client.TestScoring;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the fields of a question per server: strict servers are asked like any other. */
class RequestDialectTest {
    @ParameterizedTest
    @ValueSource(strings = {"score-logit", "score-sampling", "score-logit-cot"})
    void a_server_that_takes_the_fields_of_openai_only_is_asked_with_no_others(String method) throws Exception {
        try (StrictScorer scorer = new StrictScorer(StrictScorer.OPENAI, Refusal.MUTE, "system")) {
            ScoreOutcome outcome = ask(scorer, "method=" + method);
            assertThat(scorer.asked()).hasSize(1);
            assertThat(fields(scorer.asked().getFirst())).isSubsetOf(StrictScorer.OPENAI);
            if (method.equals("score-logit")) {
                assertTrue(outcome);
            }
        }
    }

    @Test
    void a_server_that_vllm_owns_is_sent_the_sampling_fields_of_vllm() throws Exception {
        try (StrictScorer scorer = new StrictScorer(StrictScorer.VLLM, Refusal.MUTE, "vllm")) {
            assertTrue(ask(scorer));
            JsonNode asked = scorer.asked().getFirst();
            assertThat(asked.path("top_k").intValue()).isEqualTo(-1);
            assertThat(asked.path("repetition_penalty").intValue()).isOne();
            assertThat(asked.path("min_p").isNumber()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"ONE", "ALL", "LISTED"})
    void fields_that_a_server_refuses_by_name_are_left_out_from_then_on(Refusal refusal) throws Exception {
        try (StrictScorer scorer = new StrictScorer(StrictScorer.NEEDED, refusal, "vllm");
                ScorerClient client = client(scorer)) {
            assertTrue(score(client));
            int before = scorer.asked().size();
            assertTrue(score(client));
            assertThat(scorer.asked()).hasSize(before + 1);
            assertThat(fields(scorer.asked().getLast())).isEqualTo(StrictScorer.NEEDED);
        }
    }

    @Test
    void a_server_that_calls_the_most_tokens_by_their_newer_name_is_asked_by_it() throws Exception {
        Set<String> newer = StrictScorer.with(StrictScorer.OPENAI, "max_completion_tokens");
        newer.remove("max_tokens");
        try (StrictScorer scorer = new StrictScorer(newer, Refusal.ONE, "system")) {
            assertTrue(ask(scorer));
            assertThat(scorer.asked().getLast().path("max_completion_tokens").intValue())
                    .isOne();
        }
    }

    @Test
    void a_refusal_that_names_no_field_is_the_reason_and_is_asked_for_once() throws Exception {
        try (StrictScorer scorer = new StrictScorer(StrictScorer.NEEDED, Refusal.MUTE, "system")) {
            assertThat(ask(scorer)).isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                    .isEqualTo("http-400: bad request"));
            assertThat(scorer.asked()).hasSize(1);
        }
    }

    /** P-3: fields that decide the answer are never left out. */
    @Test
    void a_field_that_decides_the_answer_is_not_left_out() {
        ObjectNode body = new JsonMapper().createObjectNode();
        body.put("logprobs", true).put("top_logprobs", 20).put("temperature", 0).put("top_p", 1);
        String said = "unsupported: logprobs, top_logprobs, temperature, top_p_min; model";
        assertThat(RequestDialect.refusedBy(said, body)).isEmpty();
        body.put("temperature", 1.0);
        assertThat(RequestDialect.refusedBy(said + ", `top_p`", body)).containsExactly("temperature", "top_p");
    }

    private static Set<String> fields(JsonNode body) {
        List<String> names = new ArrayList<>();
        body.fieldNames().forEachRemaining(names::add);
        return Set.copyOf(names);
    }

    private static void assertTrue(ScoreOutcome outcome) {
        assertThat(outcome).isInstanceOfSatisfying(Scored.class, scored -> assertThat(scored.score())
                .isCloseTo(FaultyScorer.truth(ScorerClientTest.edit(0)), within(1e-9)));
    }

    private static ScorerClient client(StrictScorer scorer, String... settings) {
        List<String> all = new ArrayList<>(List.of("attempts=1", "timeout=5s"));
        all.addAll(List.of(settings));
        return new ScorerClient(
                URI.create("http://127.0.0.1:" + scorer.port()),
                TestScoring.with(all.toArray(String[]::new)),
                ScorerAccess.NONE);
    }

    private static ScoreOutcome ask(StrictScorer scorer, String... settings) throws Exception {
        try (ScorerClient client = client(scorer, settings)) {
            return score(client);
        }
    }

    private static ScoreOutcome score(ScorerClient client) throws Exception {
        return client.score(ScorerClientTest.request(ScorerClientTest.edit(0)))
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
    }
}
