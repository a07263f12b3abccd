package darkroom.rewardactors.pairs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.device.ScoreOutcome;

/**
 * Result of one row of pairs.
 *
 * @param line number of the row's line in the file of pairs, from 1
 * @param id the row's id as in the file; JSON null if it has none
 */
public record ScoredPair(long line, JsonNode id, ScoreOutcome outcome) {

    /**
     * Returns the row of the file of scores: {@code id}, {@code score} (a number, or null), {@code unscored} (the reason
     * without a score, or null), {@code labelMass} (null without a score), {@code attempts}.
     */
    public ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.set("id", id);
        switch (outcome) {
            case ScoreOutcome.Scored scored ->
                json.put("score", scored.score()).putNull("unscored").put("labelMass", scored.labelMass());
            case ScoreOutcome.Unscored unscored ->
                json.putNull("score").put("unscored", unscored.reason()).putNull("labelMass");
        }
        return json.put("attempts", outcome.attempts());
    }
}
