package darkroom.edittasks.datasets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.ErrorReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A picture with its annotations by people or detectors: one line of {@code annotations.jsonl}.
 *
 * @param image path relative to the directory
 * @param others fields that curation does not read, from name to JSON text; every row of the picture gets them
 */
record AnnotatedImage(
        String image, List<Thing> objects, List<Lettered> texts, List<Edit> edits, Map<String, String> others) {
    private static final String IMAGE = "image";
    private static final String OBJECTS = "objects";
    private static final String TEXTS = "texts";
    private static final String EDITS = "edits";
    private static final JsonMapper JSON = new JsonMapper();

    /** Edges in pixels from the top left corner of the picture; the right and lower ones are the first outside. */
    record Box(double left, double top, double right, double bottom) {
        double area() {
            return Math.max(0, right - left) * Math.max(0, bottom - top);
        }

        boolean within(int width, int height) {
            return left >= 0 && top >= 0 && right <= width && bottom <= height && right > left && bottom > top;
        }

        /** Returns the part of this box that lies outside the central square of the picture, as a share of this box. */
        double cutOff(int width, int height) {
            double side = Math.min(width, height);
            double x = (width - side) / 2;
            double y = (height - side) / 2;
            Box inside =
                    new Box(Math.max(left, x), Math.max(top, y), Math.min(right, x + side), Math.min(bottom, y + side));
            return 1 - inside.area() / area();
        }
    }

    /**
     * An object in the picture.
     *
     * @param confidence of its detector, null where there was none
     * @param background whether it is a background, such as the sky
     */
    record Thing(String name, Box box, @Nullable Double confidence, boolean background) {}

    /** A text in the picture. */
    record Lettered(String text) {}

    /**
     * An edit of the picture.
     *
     * @param object number of the edited object, -1 for none
     * @param plausible false if it was marked as implausible
     */
    record Edit(
            String taskType,
            String prompt,
            String requirement,
            int object,
            @Nullable String target,
            @Nullable String reference,
            boolean plausible) {}

    /** @throws DatasetFaultException naming the faulty field */
    static AnnotatedImage parse(String line) throws DatasetFaultException {
        Map<String, String> others = new LinkedHashMap<>(DatasetRow.readFields(line));
        JsonNode json;
        try {
            json = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new DatasetFaultException(DatasetFault.NO_JSON, ErrorReason.of(e), e);
        }
        String image = text(json, IMAGE, IMAGE);
        List<Thing> objects = new ArrayList<>();
        for (JsonNode object : list(json, OBJECTS)) {
            String where = OBJECTS + "[" + objects.size() + "].";
            objects.add(new Thing(
                    text(object, "name", where + "name"),
                    box(object.path("box"), where + "box"),
                    confidence(object.path("score"), where + "score"),
                    truth(object.path("background"), false, where + "background")));
        }
        List<Lettered> texts = new ArrayList<>();
        for (JsonNode text : list(json, TEXTS)) {
            texts.add(new Lettered(text(text, "text", TEXTS + "[" + texts.size() + "].text")));
        }
        List<Edit> edits = new ArrayList<>();
        for (JsonNode edit : list(json, EDITS)) {
            String where = EDITS + "[" + edits.size() + "].";
            edits.add(new Edit(
                    text(edit, "task_type", where + "task_type"),
                    text(edit, "prompt", where + "prompt"),
                    absent(edit, "requirement") ? "" : text(edit, "requirement", where + "requirement"),
                    object(edit.path("object"), objects.size(), where + "object"),
                    absent(edit, "target") ? null : text(edit, "target", where + "target"),
                    absent(edit, "reference") ? null : text(edit, "reference", where + "reference"),
                    truth(edit.path("plausible"), true, where + "plausible")));
        }
        for (String own : List.of(IMAGE, OBJECTS, TEXTS, EDITS)) {
            others.remove(own);
        }
        return new AnnotatedImage(image, objects, texts, edits, others);
    }

    private static boolean absent(JsonNode json, String field) {
        return json.path(field).isMissingNode() || json.path(field).isNull();
    }

    private static JsonNode list(JsonNode json, String field) throws DatasetFaultException {
        JsonNode value = json.path(field);
        if (!absent(json, field) && !value.isArray()) {
            throw wrong(field, value, "a list");
        }
        return value;
    }

    private static String text(JsonNode json, String field, String where) throws DatasetFaultException {
        JsonNode value = json.path(field);
        if (value.isMissingNode()) {
            throw new DatasetFaultException(DatasetFault.MISSING_FIELD, "field " + where + " is missing");
        }
        if (!value.isTextual() || value.textValue().isBlank()) {
            throw wrong(where, value, "a text that is not blank");
        }
        return value.textValue();
    }

    private static Box box(JsonNode value, String where) throws DatasetFaultException {
        boolean numbers = value.isArray() && value.size() == 4;
        for (int i = 0; numbers && i < 4; i++) {
            numbers = value.get(i).isNumber() && Double.isFinite(value.get(i).doubleValue());
        }
        if (!numbers) {
            throw wrong(where, value, "[left, top, right, bottom] in pixels");
        }
        return new Box(
                value.get(0).doubleValue(),
                value.get(1).doubleValue(),
                value.get(2).doubleValue(),
                value.get(3).doubleValue());
    }

    private static @Nullable Double confidence(JsonNode value, String where) throws DatasetFaultException {
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        if (!value.isNumber() || !(value.doubleValue() >= 0 && value.doubleValue() <= 1)) {
            throw wrong(where, value, "a number from 0 to 1");
        }
        return value.doubleValue();
    }

    private static boolean truth(JsonNode value, boolean absent, String where) throws DatasetFaultException {
        if (value.isMissingNode() || value.isNull()) {
            return absent;
        }
        if (!value.isBoolean()) {
            throw wrong(where, value, "true or false");
        }
        return value.booleanValue();
    }

    private static int object(JsonNode value, int objects, String where) throws DatasetFaultException {
        if (value.isMissingNode() || value.isNull()) {
            return -1;
        }
        if (!value.isInt() || value.intValue() < 0 || value.intValue() >= objects) {
            throw wrong(where, value, "the number of an object, from 0 to " + (objects - 1));
        }
        return value.intValue();
    }

    private static DatasetFaultException wrong(String where, JsonNode value, String allowed) {
        return new DatasetFaultException(
                DatasetFault.WRONG_TYPE, where + "=" + DatasetRow.shown(value.toString()) + " is not " + allowed);
    }
}
