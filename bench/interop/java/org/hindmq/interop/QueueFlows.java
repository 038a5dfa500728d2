package org.hindmq.interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import javax.jms.CompletionListener;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.JMSConsumer;
import javax.jms.JMSContext;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.QueueBrowser;
import javax.jms.Session;
import javax.jms.TemporaryQueue;
import javax.jms.TemporaryTopic;
import javax.jms.TextMessage;
import javax.jms.Topic;

/** Send, receive, transactions, browsing, selecting, topics, temporary destinations, acknowledgement. */
final class QueueFlows {
   private QueueFlows() { }

   static void add(Map<String, Flow.Body> m) {
      m.put("durable", QueueFlows::durable);
      m.put("nondurable", QueueFlows::nonDurable);
      m.put("headers", QueueFlows::headers);
      m.put("order", QueueFlows::order);
      m.put("priority", QueueFlows::priority);
      m.put("tx-send", QueueFlows::transactedSend);
      m.put("tx-receive", QueueFlows::transactedReceive);
      m.put("tx-both", QueueFlows::transactedBoth);
      m.put("client-ack", QueueFlows::clientAcknowledge);
      m.put("close-unacked", QueueFlows::closeUnacknowledged);
      m.put("listener", QueueFlows::listener);
      m.put("browser", QueueFlows::browser);
      m.put("selector", QueueFlows::selector);
      m.put("competing", QueueFlows::competing);
      m.put("topic", QueueFlows::topic);
      m.put("topic-selector", QueueFlows::topicSelector);
      m.put("temp-reply", QueueFlows::temporaryReply);
      m.put("temp-topic", QueueFlows::temporaryTopic);
      m.put("jms2", QueueFlows::jms2);
      m.put("async-send", QueueFlows::asyncSend);
   }

   private static String text(Message m) throws Exception {
      Flow.check(m instanceof TextMessage, "a text message expected, got " + m);
      return ((TextMessage) m).getText();
   }

   static void durable(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      s.createProducer(q).send(s.createTextMessage("hello"));
      f.connection.close();
      Connection again = f.factory.createConnection(f.user, f.password);
      try {
         again.start();
         s = again.createSession(false, Session.AUTO_ACKNOWLEDGE);
         MessageConsumer c = s.createConsumer(q);
         Message m = Flow.must(c, "message after the sender's connection closed");
         Flow.same("hello", text(m), "text");
         Flow.same(DeliveryMode.PERSISTENT, m.getJMSDeliveryMode(), "delivery mode");
         Flow.same(false, m.getJMSRedelivered(), "redelivered");
         Flow.none(c, "second copy");
      } finally {
         again.close();
      }
   }

   static void nonDurable(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      p.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
      MessageConsumer c = s.createConsumer(q);
      for (int i = 0; i < 50; i++) p.send(s.createTextMessage("n" + i));
      for (int i = 0; i < 50; i++) {
         Message m = Flow.must(c, "non-durable message " + i);
         Flow.same("n" + i, text(m), "text");
         Flow.same(DeliveryMode.NON_PERSISTENT, m.getJMSDeliveryMode(), "delivery mode");
      }
   }

   static void headers(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      TextMessage t = s.createTextMessage("h");
      t.setJMSCorrelationID("corr-1");
      t.setJMSType("kind-1");
      t.setJMSReplyTo(s.createQueue("replies"));
      long before = System.currentTimeMillis();
      p.send(t, DeliveryMode.PERSISTENT, 7, 600_000);
      long after = System.currentTimeMillis();
      Message m = Flow.must(s.createConsumer(q), "message");
      Flow.same("corr-1", m.getJMSCorrelationID(), "correlation id");
      Flow.same("kind-1", m.getJMSType(), "type");
      Flow.same("replies", ((Queue) m.getJMSReplyTo()).getQueueName(), "reply to");
      Flow.same(q.getQueueName(), ((Queue) m.getJMSDestination()).getQueueName(), "destination");
      Flow.same(7, m.getJMSPriority(), "priority");
      Flow.same(t.getJMSMessageID(), m.getJMSMessageID(), "message id");
      Flow.same(t.getJMSTimestamp(), m.getJMSTimestamp(), "timestamp");
      Flow.same(1, m.getIntProperty("JMSXDeliveryCount"), "delivery count");
      Flow.check(m.getJMSExpiration() >= before + 600_000 && m.getJMSExpiration() <= after + 600_000, "expiration " + m.getJMSExpiration() + " not 600 s after the send");
   }

   static void order(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      for (int i = 0; i < 200; i++) p.send(s.createTextMessage("" + i));
      MessageConsumer c = s.createConsumer(q);
      for (int i = 0; i < 200; i++) Flow.same("" + i, text(Flow.must(c, "message " + i)), "order");
      Flow.none(c, "message past the last");
   }

   static void priority(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      int[] sent = {4, 0, 9, 4, 7, 1};
      for (int i = 0; i < sent.length; i++) p.send(s.createTextMessage(sent[i] + "/" + i), DeliveryMode.PERSISTENT, sent[i], 0);
      MessageConsumer c = s.createConsumer(q);
      for (String want : new String[] {"9/2", "7/4", "4/0", "4/3", "1/5", "0/1"}) Flow.same(want, text(Flow.must(c, want)), "priority order");
   }

   static void transactedSend(Flow f) throws Exception {
      Session t = f.transacted();
      Queue q = f.queue(t);
      MessageProducer p = t.createProducer(q);
      MessageConsumer c = f.auto().createConsumer(q);
      p.send(t.createTextMessage("rolled back"));
      t.rollback();
      p.send(t.createTextMessage("a"));
      p.send(t.createTextMessage("b"));
      Flow.none(c, "message before commit");
      t.commit();
      Flow.same("a", text(Flow.must(c, "committed message")), "first committed");
      Flow.same("b", text(Flow.must(c, "committed message")), "second committed");
      Flow.none(c, "more than was committed");
   }

   static void transactedReceive(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      p.send(s.createTextMessage("a"));
      p.send(s.createTextMessage("b"));
      Session t = f.transacted();
      MessageConsumer c = t.createConsumer(q);
      for (int round = 1; round <= 3; round++) {
         for (String want : new String[] {"a", "b"}) {
            Message m = Flow.must(c, want + " in round " + round);
            Flow.same(want, text(m), "text in round " + round);
            Flow.same(round > 1, m.getJMSRedelivered(), "redelivered in round " + round);
            Flow.same(round, m.getIntProperty("JMSXDeliveryCount"), "delivery count in round " + round);
         }
         if (round < 3) t.rollback(); else t.commit();
      }
      Flow.none(c, "message after commit");
      t.close();
      Flow.none(s.createConsumer(q), "message after commit and close");
   }

   static void transactedBoth(Flow f) throws Exception {
      Session s = f.auto();
      Queue in = f.queue(s);
      Queue out = s.createQueue(f.tag + ".out");
      s.createProducer(in).send(s.createTextMessage("job"));
      Session t = f.transacted();
      MessageConsumer c = t.createConsumer(in);
      MessageProducer p = t.createProducer(out);
      MessageConsumer done = s.createConsumer(out);
      Flow.must(c, "job");
      p.send(t.createTextMessage("done"));
      t.rollback();
      Flow.none(done, "result of a rolled back transaction");
      Flow.same(2, Flow.must(c, "job again").getIntProperty("JMSXDeliveryCount"), "delivery count");
      p.send(t.createTextMessage("done"));
      t.commit();
      Flow.same("done", text(Flow.must(done, "result")), "result");
      Flow.none(c, "job after commit");
      Flow.none(done, "second result");
   }

   static void clientAcknowledge(Flow f) throws Exception {
      Session s = f.connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      for (String x : new String[] {"a", "b", "c"}) p.send(s.createTextMessage(x));
      MessageConsumer c = s.createConsumer(q);
      Flow.same("a", text(Flow.must(c, "a")), "first");
      Flow.same("b", text(Flow.must(c, "b")), "second");
      s.recover();
      Message m = Flow.must(c, "a after recover");
      Flow.same("a", text(m), "first after recover");
      Flow.same(true, m.getJMSRedelivered(), "redelivered after recover");
      m = Flow.must(c, "b after recover");
      m.acknowledge();
      s.close();
      s = f.connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
      c = s.createConsumer(q);
      Flow.same("c", text(Flow.must(c, "c")), "the one not acknowledged");
      s.close();
      MessageConsumer last = f.auto().createConsumer(q);
      Flow.same("c", text(Flow.must(last, "c again")), "the one never acknowledged");
      Flow.none(last, "acknowledged message");
   }

   static void closeUnacknowledged(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      for (int i = 0; i < 5; i++) p.send(s.createTextMessage("" + i));
      Connection other = f.factory.createConnection(f.user, f.password);
      other.start();
      Session t = other.createSession(true, Session.SESSION_TRANSACTED);
      MessageConsumer c = t.createConsumer(q);
      for (int i = 0; i < 3; i++) Flow.must(c, "message " + i);
      other.close();
      MessageConsumer again = s.createConsumer(q);
      for (int i = 0; i < 5; i++) Flow.same("" + i, text(Flow.must(again, "message " + i)), "order after the other consumer closed");
   }

   static void listener(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      List<String> got = new ArrayList<>();
      CountDownLatch all = new CountDownLatch(20);
      AtomicReference<Exception> wrong = new AtomicReference<>();
      s.createConsumer(q).setMessageListener(m -> {
         try {
            synchronized (got) {
               got.add(((TextMessage) m).getText());
            }
         } catch (Exception e) {
            wrong.set(e);
         }
         all.countDown();
      });
      Session ps = f.auto();
      MessageProducer p = ps.createProducer(q);
      List<String> want = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
         want.add("" + i);
         p.send(ps.createTextMessage("" + i));
      }
      Flow.check(all.await(Flow.LONG, TimeUnit.MILLISECONDS), "listener got " + got.size() + " of 20");
      if (wrong.get() != null) throw wrong.get();
      synchronized (got) {
         Flow.same(want, got, "listened");
      }
   }

   static void browser(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      for (int i = 0; i < 10; i++) {
         TextMessage t = s.createTextMessage("" + i);
         t.setIntProperty("n", i);
         p.send(t);
      }
      Flow.same(Arrays.asList("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"), browse(s.createBrowser(q)), "browsed");
      Flow.same(Arrays.asList("7", "8", "9"), browse(s.createBrowser(q, "n > 6")), "browsed with a selector");
      MessageConsumer c = s.createConsumer(q);
      for (int i = 0; i < 10; i++) {
         Message m = Flow.must(c, "message after browsing");
         Flow.same("" + i, text(m), "text after browsing");
         Flow.same(false, m.getJMSRedelivered(), "redelivered after browsing");
      }
      c.close();
      Flow.same(new ArrayList<String>(), browse(s.createBrowser(q)), "browsed when empty");
   }

   private static List<String> browse(QueueBrowser b) throws Exception {
      List<String> got = new ArrayList<>();
      for (Enumeration<?> e = b.getEnumeration(); e.hasMoreElements(); ) got.add(text((Message) e.nextElement()));
      b.close();
      return got;
   }

   static void selector(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      String[] colours = {"red", "green", "blue", "red", "violet"};
      for (int i = 0; i < colours.length; i++) {
         TextMessage t = s.createTextMessage(colours[i] + i);
         t.setStringProperty("colour", colours[i]);
         t.setIntProperty("n", i);
         t.setDoubleProperty("weight", i / 2.0);
         t.setBooleanProperty("even", i % 2 == 0);
         p.send(t);
      }
      select(s, q, "colour = 'blue'", "blue2");
      select(s, q, "colour LIKE 'vio%' AND weight BETWEEN 1.5 AND 2.5 AND even = TRUE", "violet4");
      select(s, q, "colour IN ('red','pink') AND n <> 0 AND missing IS NULL", "red3");
      select(s, q, "NOT (colour = 'red') OR n >= 100", "green1");
      select(s, q, null, "red0");
   }

   private static void select(Session s, Queue q, String selector, String want) throws Exception {
      MessageConsumer c = s.createConsumer(q, selector);
      Flow.same(want, text(Flow.must(c, "match of " + selector)), "match of " + selector);
      Flow.none(c, "second match of " + selector);
      c.close();
   }

   static void competing(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageConsumer a = f.auto().createConsumer(q);
      MessageConsumer b = f.auto().createConsumer(q);
      MessageProducer p = s.createProducer(q);
      for (int i = 0; i < 40; i++) p.send(s.createTextMessage("" + i));
      List<Integer> got = new ArrayList<>();
      int fromA = 0;
      for (Message m; (m = a.receive(Flow.SHORT)) != null; fromA++) got.add(Integer.valueOf(text(m)));
      for (Message m; (m = b.receive(Flow.SHORT)) != null; ) got.add(Integer.valueOf(text(m)));
      Flow.same(40, got.size(), "messages received by two consumers");
      Flow.check(fromA > 0 && fromA < 40, "one of two idle consumers got all messages (" + fromA + " of 40)");
      got.sort(null);
      for (int i = 0; i < 40; i++) Flow.same(i, got.get(i), "message");
   }

   static void topic(Flow f) throws Exception {
      Session s = f.auto();
      Topic t = s.createTopic(f.tag + ".t");
      MessageProducer p = s.createProducer(t);
      p.send(s.createTextMessage("before anyone subscribed"));
      MessageConsumer a = s.createConsumer(t);
      MessageConsumer b = f.auto().createConsumer(t);
      p.send(s.createTextMessage("one"));
      for (MessageConsumer c : new MessageConsumer[] {a, b}) {
         Message m = Flow.must(c, "published message");
         Flow.same("one", text(m), "text");
         Flow.same(t.getTopicName(), ((Topic) m.getJMSDestination()).getTopicName(), "destination");
         Flow.none(c, "second copy");
      }
      b.close();
      p.send(s.createTextMessage("two"));
      Flow.same("two", text(Flow.must(a, "after one subscriber left")), "text");
   }

   static void topicSelector(Flow f) throws Exception {
      Session s = f.auto();
      Topic t = s.createTopic(f.tag + ".t");
      MessageConsumer all = s.createConsumer(t);
      MessageConsumer some = s.createConsumer(t, "n > 1");
      MessageProducer p = s.createProducer(t);
      for (int i = 0; i < 4; i++) {
         TextMessage m = s.createTextMessage("" + i);
         m.setIntProperty("n", i);
         p.send(m);
      }
      for (int i = 0; i < 4; i++) Flow.same("" + i, text(Flow.must(all, "all")), "all");
      Flow.same("2", text(Flow.must(some, "some")), "some");
      Flow.same("3", text(Flow.must(some, "some")), "some");
      Flow.none(some, "unselected");
   }

   static void temporaryReply(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      Session server = f.auto();
      server.createConsumer(q).setMessageListener(m -> {
         try {
            TextMessage r = server.createTextMessage("re: " + ((TextMessage) m).getText());
            r.setJMSCorrelationID(m.getJMSMessageID());
            server.createProducer(null).send(m.getJMSReplyTo(), r);
         } catch (Exception e) {
            System.out.println("  replier: " + e);
         }
      });
      TemporaryQueue replies = s.createTemporaryQueue();
      MessageConsumer c = s.createConsumer(replies);
      MessageProducer p = s.createProducer(q);
      for (int i = 0; i < 5; i++) {
         TextMessage t = s.createTextMessage("q" + i);
         t.setJMSReplyTo(replies);
         p.send(t);
         Message m = Flow.must(c, "reply " + i);
         Flow.same("re: q" + i, text(m), "reply");
         Flow.same(t.getJMSMessageID(), m.getJMSCorrelationID(), "correlation id");
      }
      c.close();
      replies.delete();
      try {
         s.createConsumer(replies);
      } catch (Exception e) {
         return;
      }
      throw new Flow.Failure("a consumer could be made on a deleted temporary queue");
   }

   static void temporaryTopic(Flow f) throws Exception {
      Session s = f.auto();
      TemporaryTopic t = s.createTemporaryTopic();
      MessageConsumer a = s.createConsumer(t);
      MessageConsumer b = f.auto().createConsumer(t);
      s.createProducer(t).send(s.createTextMessage("tmp"));
      Flow.same("tmp", text(Flow.must(a, "first subscriber")), "text");
      Flow.same("tmp", text(Flow.must(b, "second subscriber")), "text");
      a.close();
      b.close();
      t.delete();
   }

   static void jms2(Flow f) throws Exception {
      try (JMSContext x = f.factory.createContext(f.user, f.password, JMSContext.AUTO_ACKNOWLEDGE)) {
         Queue q = x.createQueue(f.tag + ".q");
         x.createProducer().setProperty("n", 5).setJMSType("t").send(q, "body");
         JMSConsumer c = x.createConsumer(q, "n = 5");
         Flow.same("body", c.receiveBody(String.class, Flow.LONG), "body");
      }
   }

   static void asyncSend(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      CountDownLatch done = new CountDownLatch(30);
      AtomicReference<Exception> wrong = new AtomicReference<>();
      CompletionListener l = new CompletionListener() {
         @Override public void onCompletion(Message m) {
            done.countDown();
         }

         @Override public void onException(Message m, Exception e) {
            wrong.set(e);
            done.countDown();
         }
      };
      for (int i = 0; i < 30; i++) p.send(s.createTextMessage("" + i), l);
      Flow.check(done.await(Flow.LONG, TimeUnit.MILLISECONDS), done.getCount() + " of 30 completions are missing");
      if (wrong.get() != null) throw wrong.get();
      MessageConsumer c = s.createConsumer(q);
      for (int i = 0; i < 30; i++) Flow.same("" + i, text(Flow.must(c, "message " + i)), "order");
   }
}
