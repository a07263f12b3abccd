package darkroom.rewardactors.judge;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.ErrorReason;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.rewardactors.http.RefusedRequestException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * A request to {@code /v1/chat/completions} as the judge understands it.
 *
 * @param form the template that was asked
 * @param tokensMax maximum length of the answer
 * @param temperature of the sampled label; 0 takes the likeliest
 * @param topLogprobs requested alternatives per token; -1 without log-probabilities
 * @param key equal for equal requests
 */
public record ChatQuestion(
        JudgeModel.Question question, Form form, int tokensMax, double temperature, int topLogprobs, long key) {
    static final int TOP_LOGPROBS_MAX = 20;

    private static final int SIDE_MAX = 2048;
    private static final int TOKENS_MAX = 1024;
    private static final String INSTRUCTION = "Instruction:";
    private static final String REQUIREMENTS = "Requirements:";
    private static final JsonMapper JSON = new JsonMapper();

    /** Kind of answer that the prompt asks for. */
    public enum Form {
        SCORE,
        YES_NO,
        REASONED_SCORE
    }

    public static ChatQuestion parse(byte[] body, String model) throws RefusedRequestException {
        JsonNode request;
        try {
            request = JSON.readTree(body);
        } catch (JacksonException e) {
            throw bad("body", "the request is not JSON: " + ErrorReason.of(e));
        } catch (IOException e) {
            throw bad("body", "the request cannot be read: " + ErrorReason.of(e));
        }
        String asked = request.path("model").asText(model);
        if (!asked.equals(model)) {
            throw new RefusedRequestException(404, "model", "there is no model \"" + asked + "\"; this is " + model);
        }
        if (request.path("stream").asBoolean(false) || request.path("n").asInt(1) != 1) {
            throw bad("stream", "one answer in one piece is all that is given: stream=false, n=1");
        }
        StringBuilder text = new StringBuilder();
        List<BufferedImage> images = new ArrayList<>();
        for (JsonNode message : request.path("messages")) {
            if (message.path("role").asText("").equals("user")) {
                read(message.path("content"), text, images);
            }
        }
        if (images.size() < 2 || images.size() > 3) {
            throw bad("messages", images.size() + " images; two or three are judged: original, edited, reference");
        }
        CRC32C crc = new CRC32C();
        crc.update(body);
        JudgeModel.Question question = new JudgeModel.Question(
                images.get(0), images.get(1), images.size() == 3 ? images.get(2) : null, instruction(text.toString()));
        return new ChatQuestion(
                question,
                form(text.toString()),
                intIn(request, "max_tokens", TOKENS_MAX, 1, TOKENS_MAX),
                temperature(request),
                topLogprobs(request),
                crc.getValue());
    }

    private static void read(JsonNode content, StringBuilder text, List<BufferedImage> images)
            throws RefusedRequestException {
        if (content.isTextual()) {
            text.append(content.textValue()).append('\n');
            return;
        }
        for (JsonNode part : content) {
            switch (part.path("type").asText("")) {
                case "text" -> text.append(part.path("text").asText("")).append('\n');
                case "image_url" ->
                    images.add(image(part.path("image_url").path("url").asText("")));
                default -> throw bad("messages", "a content part is neither text nor image_url");
            }
        }
    }

    private static BufferedImage image(String url) throws RefusedRequestException {
        int comma = url.indexOf(',');
        if (!url.startsWith("data:image/")
                || comma < 0
                || !url.substring(0, comma).endsWith(";base64")) {
            throw bad("image_url", "only data:image/...;base64 URLs are read");
        }
        try {
            byte[] bytes = Base64.getDecoder().decode(url.substring(comma + 1));
            return decoded(bytes);
        } catch (IllegalArgumentException e) {
            throw bad("image_url", "the image is not base64: " + ErrorReason.of(e));
        } catch (IOException e) {
            throw bad("image_url", "the image cannot be decoded: " + ErrorReason.of(e));
        }
    }

    private static BufferedImage decoded(byte[] bytes) throws IOException, RefusedRequestException {
        RgbImage image = RgbImage.decode(bytes);
        if (image.width() > SIDE_MAX || image.height() > SIDE_MAX) {
            throw bad("image_url", "the image is larger than " + SIDE_MAX + "x" + SIDE_MAX);
        }
        return image.buffered();
    }

    private static String instruction(String text) throws RefusedRequestException {
        return text.lines()
                .filter(line -> line.startsWith(INSTRUCTION))
                .map(line -> line.substring(INSTRUCTION.length()).strip())
                .findFirst()
                .orElseThrow(() -> bad("messages", "the text has no line \"Instruction: ...\""));
    }

    /** Derived from the text of the template alone, not from that of a row. */
    private static Form form(String text) {
        List<String> words = text.lines()
                .filter(line -> !line.startsWith(INSTRUCTION) && !line.startsWith(REQUIREMENTS))
                .map(line -> line.toLowerCase(Locale.ROOT))
                .toList();
        if (words.stream().anyMatch(line -> line.contains("reasoning"))) {
            return Form.REASONED_SCORE;
        }
        boolean yesNo = words.stream().anyMatch(line -> line.matches(".*\\byes\\b.*\\bno\\b.*"));
        return yesNo ? Form.YES_NO : Form.SCORE;
    }

    private static double temperature(JsonNode request) throws RefusedRequestException {
        double temperature = request.path("temperature").asDouble(1);
        if (!(temperature >= 0 && temperature <= 2)) {
            throw bad("temperature", "temperature=" + temperature + " is not in [0, 2]");
        }
        return temperature;
    }

    private static int topLogprobs(JsonNode request) throws RefusedRequestException {
        boolean wanted = request.path("logprobs").asBoolean(false);
        int top = intIn(request, "top_logprobs", 0, 0, TOP_LOGPROBS_MAX);
        if (!wanted && top > 0) {
            throw bad("top_logprobs", "top_logprobs needs logprobs=true");
        }
        return wanted ? top : -1;
    }

    private static int intIn(JsonNode request, String field, int otherwise, int min, int max)
            throws RefusedRequestException {
        int value = request.path(field).asInt(otherwise);
        if (value < min || value > max) {
            throw bad(field, field + "=" + value + " is not in [" + min + ", " + max + "]");
        }
        return value;
    }

    private static RefusedRequestException bad(String param, String message) {
        return new RefusedRequestException(400, param, message);
    }
}
